"""Ranges of time as whole days, of which sums are kept, and quarters of an hour at their edges."""

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

from token_tracking.shares import quarter_of

DAY_QUARTERS: Final = 96
BLOCK_QUARTERS: Final = 24
_NO_BOUND: Final = 2**62

Unit = Literal["day", "block", "quarter"]
Ladder = tuple[tuple[Unit, int], ...]
"""Units in which sums are kept, the smallest first, each with how many of those below make one."""

DAYS: Final[Ladder] = (("day", DAY_QUARTERS),)
BLOCKS: Final[Ladder] = (("block", BLOCK_QUARTERS),)
BLOCKS_AND_DAYS: Final[Ladder] = (*BLOCKS, ("day", DAY_QUARTERS // BLOCK_QUARTERS))

Bounds = tuple[int | None, int | None]
"""A half-open range in milliseconds since 1970 UTC; `None` where it is open."""


class Span(NamedTuple):
    """A part of the range `number`: `low` up to, not including, `high`, in a unit. A part with the
    sign -1 is to be taken away from the others."""

    number: int
    unit: Unit
    low: int
    high: int
    sign: int


def split(ranges: Sequence[Bounds], ladder: Ladder = DAYS) -> list[Span]:
    """The parts whose sums are those of each range, in the units of `ladder` and quarters of an
    hour; bounds are aligned down to quarters. Where more than half of a unit is within a range, the
    unit is taken and the rest taken away: no edge has more than half of one in smaller ones."""
    return [
        span for number, bounds in enumerate(ranges) for span in _split(number, *bounds, ladder)
    ]


def cover(bounds: Bounds, size: int = DAY_QUARTERS) -> list[Span]:
    """The days inside a range (or blocks, by their `size` in quarters) and the quarters of an hour
    at its edges, for what cannot be taken away from a sum."""
    start, end = bounds
    low = -_NO_BOUND if start is None else quarter_of(start)
    high = _NO_BOUND if end is None else quarter_of(end)
    first = low if start is None else -(-low // size)
    last = high if end is None else high // size
    if first >= last:
        return [Span(0, "quarter", low, high, 1)] if low < high else []
    edges = [(low, first * size)] if start is not None else []
    edges += [(last * size, high)] if end is not None else []
    quarters = [Span(0, "quarter", *edge, 1) for edge in edges if edge[0] < edge[1]]
    unit: Unit = "day" if size == DAY_QUARTERS else "block"
    return [Span(0, unit, first, last, 1), *quarters]


def _split(number: int, start: int | None, end: int | None, ladder: Ladder) -> list[Span]:
    if start is not None and end is not None and quarter_of(end) <= quarter_of(start):
        return []
    low, before = _prefix(number, start, -1, ladder)
    high, after = _prefix(number, end, 1, ladder)
    edges = [*before, *after]
    if start is not None and end is not None:
        whole = Span(number, "quarter", quarter_of(start), quarter_of(end), 1)
        if _length([whole]) <= _length(edges):
            return [whole]
    first = -_NO_BOUND if low is None else low
    last = _NO_BOUND if high is None else high
    units = [Span(number, ladder[-1][0], first, last, 1)] if first < last else []
    return [*units, *edges]


def _prefix(
    number: int, at: int | None, sign: int, ladder: Ladder
) -> tuple[int | None, list[Span]]:
    """All before a moment, as the largest units before one, and smaller ones to add or take
    away."""
    if at is None:
        return None, []
    bound = quarter_of(at)
    unit: Unit = "quarter"
    edges: list[Span] = []
    for larger, size in ladder:
        whole, rest = divmod(bound, size)
        if rest > size // 2:
            whole += 1
            edges.append(Span(number, unit, bound, whole * size, -sign))
        elif rest:
            edges.append(Span(number, unit, whole * size, bound, sign))
        bound, unit = whole, larger
    return bound, edges


def _length(spans: Sequence[Span]) -> int:
    return sum(span.high - span.low for span in spans)
