"""How many requests a conversation is still expected to make."""

from hypothesis import given, settings
from hypothesis import strategies as st

from token_tracking.window.remaining import FIRST, GROWTH, LearnedRemaining, UsualRemaining


def test_without_a_history_it_grows_with_what_was_made():
    usual = UsualRemaining()
    assert usual.expected(0) == FIRST
    assert usual.expected(40) == FIRST + GROWTH * 40


def test_too_few_conversations_say_nothing():
    assert LearnedRemaining([5] * 7).expected(3) == UsualRemaining().expected(3)
    assert LearnedRemaining([]).expected(0) == FIRST
    assert LearnedRemaining([0, -3, *[5] * 7]).expected(3) == UsualRemaining().expected(3)


def test_it_is_the_mean_of_what_those_that_lasted_as_long_still_made():
    learned = LearnedRemaining([10] * 10 + [30] * 10)
    assert learned.expected(0) == 20
    assert learned.expected(9) == 11
    assert learned.expected(10) == 20
    assert learned.expected(29) == 1


def test_where_hardly_any_lasted_as_long_the_last_mean_goes_on():
    learned = LearnedRemaining([10] * 10)
    assert learned.expected(9) == 1
    assert learned.expected(18) == 2
    assert learned.expected(900) == 100


@settings(deadline=None)
@given(st.lists(st.integers(1, 500), max_size=60), st.integers(0, 1_000))
def test_at_least_something_is_always_expected(lengths: list[int], made: int):
    assert LearnedRemaining(lengths).expected(made) > 0
