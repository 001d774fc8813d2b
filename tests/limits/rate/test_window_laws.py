"""Laws of the window, on a clock that Hypothesis moves."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.limits.rate.storages import Window, ids, minus
from token_tracking.limits.rate.storage import Change, Heard, Work
from token_tracking.limits.rate.values import Counts

LIMIT = 1_000
COSTS = st.integers(min_value=1, max_value=LIMIT)
PAUSES = st.one_of(
    st.floats(min_value=0, max_value=1.0),
    st.floats(min_value=55.0, max_value=62.5),
    st.floats(min_value=0, max_value=200.0),
)


def most_in_a_window(taken: list[tuple[float, int]], seconds: float = 60.0) -> int:
    """The largest sum of any window; windows that begin with a count are enough."""
    return max(
        (sum(count for at, count in taken if start <= at <= start + seconds) for start, _ in taken),
        default=0,
    )


@settings(deadline=None)
@given(st.lists(st.tuples(PAUSES, COSTS, st.floats(min_value=0, max_value=1)), max_size=60))
def test_no_window_of_the_clock_ever_holds_more_than_the_limit(
    steps: list[tuple[float, int, float]],
) -> None:
    window = Window((None, LIMIT, None, None))
    taken: dict[str, tuple[float, int, int]] = {}
    costs: dict[str, int] = {}
    for pause, cost, share in steps:
        window.clock.now += pause
        wish = window.wish(1, cost)
        costs[wish.id] = cost
        for name, part in window.ask(wish).granted:
            taken[name] = (window.clock.now, costs[name], part)
        if wish.id in taken:
            at, _, part = taken[wish.id]
            actual = int(cost * share)
            delta: Counts = (0, actual - cost, 0, actual - cost)
            taken[wish.id] = (at, actual, part)
            told = window.turn(Work(changes=(Change(part, delta),)))
            for name, later in told.granted:
                taken[name] = (window.clock.now, costs[name], later)
        assert most_in_a_window([(at, count) for at, count, _ in taken.values()]) <= LIMIT


@settings(deadline=None)
@given(st.lists(st.tuples(PAUSES, COSTS, COSTS), max_size=40))
def test_what_was_more_than_reserved_makes_later_requests_wait(
    steps: list[tuple[float, int, int]],
) -> None:
    window = Window((None, LIMIT, None, None))
    taken: list[tuple[float, int]] = []
    for pause, cost, more in steps:
        window.clock.now += pause
        wish = window.wish(1, cost)
        told = window.ask(wish)
        if not told.granted:
            window.turn(Work(left=(wish,)))
            continue
        now = window.clock.now
        assert sum(count for at, count in taken if at >= now - 60.0) + cost <= LIMIT
        taken += [(now, cost), (now, more)]
        window.turn(Work(changes=(Change(told.granted[0].part, (0, more, 0, more)),)))


@settings(deadline=None)
@given(st.lists(st.tuples(COSTS, st.integers(min_value=0, max_value=LIMIT)), max_size=20))
def test_settling_leaves_exactly_what_was_not_taken(costs: list[tuple[int, int]]) -> None:
    window = Window((None, LIMIT, None, None))
    used = 0
    for cost, actual in costs:
        wish = window.wish(1, cost)
        told = window.ask(wish)
        assert bool(told.granted) == (used + cost <= LIMIT)
        if told.granted:
            delta = actual - cost
            window.turn(Work(changes=(Change(told.granted[0].part, (0, delta, 0, delta)),)))
            used += actual
        else:
            window.turn(Work(left=(wish,)))
    rest = max(0, LIMIT - used)
    assert not window.takes(1, rest + 1)
    assert window.takes(1, rest)


@settings(deadline=None)
@given(st.lists(COSTS, min_size=1, max_size=20), st.floats(min_value=0, max_value=60))
def test_refunds_restore_the_whole_limit(costs: list[int], later: float) -> None:
    window = Window((None, sum(costs), None, None))
    wishes = [window.wish(1, cost) for cost in costs]
    told = window.ask(*wishes)
    assert len(told.granted) == len(wishes)
    window.clock.now += later
    for wish, (_, part) in zip(wishes, told.granted, strict=True):
        window.turn(Work(changes=(Change(part, minus(wish.counts)),)))
    assert window.takes(1, sum(costs))


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(min_value=5, max_value=LIMIT // 50), min_size=10, max_size=40))
def test_under_load_at_least_95_percent_of_the_limit_is_reached(costs: list[int]) -> None:
    window = Window((None, LIMIT, None, None))
    taken = 0
    number = 0
    start = window.clock.now
    while window.clock.now < start + 20 * 60.0:
        wish = window.wish(1, costs[number % len(costs)])
        number += 1
        told = window.ask(wish)
        while not told.granted:
            window.clock.now += told.wait
            told = window.turn(Work())
        taken += wish.counts[1]
    assert taken >= 0.95 * 20 * LIMIT


@settings(deadline=None)
@given(st.lists(st.tuples(COSTS, PAUSES), min_size=1, max_size=30))
def test_the_wait_that_is_told_is_true_and_no_longer_than_needed(
    steps: list[tuple[int, float]],
) -> None:
    window = Window((None, LIMIT, None, None))
    for cost, pause in steps:
        window.clock.now += pause
        wish = window.wish(1, cost)
        told = window.ask(wish)
        if told.granted:
            continue
        window.clock.now += told.wait * (1 - 1e-9) - 1e-6
        assert not window.turn(Work()).granted
        window.clock.now += 2e-6
        assert ids(window.turn(Work())) == [wish.id]


@settings(deadline=None)
@given(
    st.lists(st.tuples(PAUSES, COSTS, st.integers(min_value=0, max_value=LIMIT)), max_size=30),
    st.floats(min_value=0.1, max_value=60),
)
def test_what_a_provider_says_never_makes_room(
    steps: list[tuple[float, int, int]], returns_in: float
) -> None:
    window = Window((None, LIMIT, None, None))
    taken: list[tuple[float, int]] = []
    for pause, cost, used in steps:
        window.clock.now += pause
        window.hear(Heard((None, used, None, None), (0.0, returns_in, 0.0, 0.0)))
        if window.takes(1, cost):
            taken.append((window.clock.now, cost))
            assert used + cost <= LIMIT
        assert most_in_a_window(taken) <= LIMIT
