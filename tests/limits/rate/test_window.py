"""Cases of the window that laws do not name."""

from tests.limits.rate.storages import Window, at_once, ids, minus
from token_tracking.limits.rate.storage import Change, Heard, Work


def test_a_request_as_large_as_the_limit_passes_and_the_next_waits_a_window() -> None:
    window = Window((None, 100_000, None, None))
    assert window.takes(1, 100_000)
    window.clock.now += 60.0
    assert not window.takes(1, 1)
    window.clock.now += 1.3
    assert window.takes(1, 100_000)


def test_several_limits_are_taken_together_or_not_at_all() -> None:
    window = Window((2, 100, 100, 150))
    assert window.takes(1, 60, 60)
    assert not window.takes(1, 50, 0)  # input
    assert not window.takes(1, 0, 50)  # output
    assert not window.takes(1, 20, 20)  # both together
    assert window.takes(1, 15, 15)
    assert not window.takes(1, 0, 0)  # requests


def test_nothing_overtakes_a_large_request() -> None:
    window = Window((None, 100, None, None))
    assert window.takes(1, 50)
    large, small = window.wish(1, 80), window.wish(1, 10)
    assert window.ask(large, small).granted == []
    window.clock.now += 61.3
    assert ids(window.turn(Work())) == [large.id, small.id]


def test_a_wish_that_leaves_makes_room_for_the_next() -> None:
    window = Window((None, 100, None, None))
    assert window.takes(1, 50)
    large, small = window.wish(1, 80), window.wish(1, 10)
    window.ask(large, small)
    assert ids(window.turn(Work(left=(large,)))) == [small.id]


def test_what_is_given_back_serves_the_line_at_once() -> None:
    window = Window((None, 100, None, None))
    first, second = window.wish(1, 90), window.wish(1, 90)
    part = window.ask(first).granted[0].part
    window.ask(second)
    told = window.turn(Work(changes=(Change(part, minus(first.counts)),)))
    assert ids(told) == [second.id]


def test_giving_back_after_the_window_gives_nothing() -> None:
    window = Window((None, 100, None, None))
    wish = window.wish(1, 100)
    part = window.ask(wish).granted[0].part
    window.clock.now += 70
    assert window.takes(1, 100)
    window.turn(Work(changes=(Change(part, minus(wish.counts)),)))
    assert not window.takes(1, 1)


def test_a_zero_limit_lets_nothing_pass_but_what_needs_none_of_it() -> None:
    window = Window((None, None, 0, None))
    assert window.takes(1, 10, 0)


def test_others_use_of_the_key_counts_until_the_provider_gives_it_back() -> None:
    window = Window((None, 100, None, None))
    window.hear(Heard((None, 70, None, None), (0.0, 20.0, 0.0, 0.0)))
    assert not window.takes(1, 31)
    window.clock.now += 19.9
    assert not window.takes(1, 31)
    window.clock.now += 1.3
    assert window.takes(1, 100)


def test_hearing_the_same_twice_counts_it_once() -> None:
    window = Window((None, 100, None, None))
    assert window.takes(1, 40)
    heard = Heard((None, 60, None, None), (0.0, 60.0, 0.0, 0.0))
    window.hear(heard)
    window.hear(heard)
    assert window.takes(1, 40)
    assert not window.takes(1, 1)


def test_a_pause_holds_everything_and_a_shorter_one_does_not_end_it() -> None:
    window = Window((None, 100, None, None))
    told = window.hear(Heard(pause=10.0))
    assert told.pause == 10.0
    window.hear(Heard(pause=1.0))
    window.clock.now += 9.9
    assert not window.takes(1, 1)
    window.clock.now += 0.2
    assert window.takes(1, 1)


def test_keys_that_are_used_no_more_are_forgotten() -> None:
    window = Window((None, 100, None, None))
    for number in range(50):
        key = window.KEY._replace(key=str(number))
        at_once(window.storage.turn(key, "owner", Work(wishes=(window.wish(1, 10),))))
    window.clock.now += 130
    window.turn(Work())
    assert len(window.storage._windows) <= 1  # pyright: ignore[reportPrivateUsage]
