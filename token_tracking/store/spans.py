"""Ranges of time as whole days, of which sums are kept, and quarters of an hour at their edges."""

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

from token_tracking.shares import quarter_of

DAY_QUARTERS: Final = 96
_NO_BOUND: Final = 2**62

Bounds = tuple[int | None, int | None]
"""A half-open range in milliseconds since 1970 UTC; `None` where it is open."""


class Span(NamedTuple):
    """A part of the range `number`: `low` up to, not including, `high`, in days or quarters of an
    hour. A part with the sign -1 is to be taken away from the others."""

    number: int
    unit: Literal["day", "quarter"]
    low: int
    high: int
    sign: int


def split(ranges: Sequence[Bounds]) -> list[Span]:
    """The parts whose sums are those of each range; bounds are aligned down to quarters of an
    hour. Where more than half of a day is within a range, the day is taken and the rest taken
    away: no edge has more than 48 quarters."""
    return [span for number, bounds in enumerate(ranges) for span in _split(number, *bounds)]


def cover(bounds: Bounds) -> list[Span]:
    """The days inside a range and the quarters of an hour at its edges, for what cannot be taken
    away from a sum."""
    start, end = bounds
    low = -_NO_BOUND if start is None else quarter_of(start)
    high = _NO_BOUND if end is None else quarter_of(end)
    first = low if start is None else -(-low // DAY_QUARTERS)
    last = high if end is None else high // DAY_QUARTERS
    if first >= last:
        return [Span(0, "quarter", low, high, 1)] if low < high else []
    edges = [(low, first * DAY_QUARTERS)] if start is not None else []
    edges += [(last * DAY_QUARTERS, high)] if end is not None else []
    quarters = [Span(0, "quarter", *edge, 1) for edge in edges if edge[0] < edge[1]]
    return [Span(0, "day", first, last, 1), *quarters]


def _split(number: int, start: int | None, end: int | None) -> list[Span]:
    if start is not None and end is not None and quarter_of(end) <= quarter_of(start):
        return []
    low, before = _prefix(number, None if start is None else quarter_of(start), -1)
    high, after = _prefix(number, None if end is None else quarter_of(end), 1)
    edges = [*before, *after]
    if start is not None and end is not None:
        whole = Span(number, "quarter", quarter_of(start), quarter_of(end), 1)
        if _length([whole]) <= _length(edges):
            return [whole]
    first = -_NO_BOUND if low is None else low
    last = _NO_BOUND if high is None else high
    days = [Span(number, "day", first, last, 1)] if first < last else []
    return [*days, *edges]


def _prefix(number: int, bound: int | None, sign: int) -> tuple[int | None, list[Span]]:
    """All before a quarter, as the days before one, and quarters to add or take away."""
    if bound is None:
        return None, []
    day, rest = divmod(bound, DAY_QUARTERS)
    if not rest:
        return day, []
    if rest <= DAY_QUARTERS // 2:
        return day, [Span(number, "quarter", day * DAY_QUARTERS, bound, sign)]
    return day + 1, [Span(number, "quarter", bound, (day + 1) * DAY_QUARTERS, -sign)]


def _length(spans: Sequence[Span]) -> int:
    return sum(span.high - span.low for span in spans)
