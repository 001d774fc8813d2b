"""The steps of a period, and of the one before it, read from a store."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Final, NamedTuple

from token_tracking.efficiency.trends import StepSums
from token_tracking.metrics.periods import Period, before
from token_tracking.metrics.range_reads import Bounds, RangeReads
from token_tracking.metrics.report import fold
from token_tracking.metrics.steps import StepSize, TimeStep, step_size, time_steps
from token_tracking.store import Sums

_FIRST: Final = datetime(2023, 1, 1, tzinfo=UTC)
"""Before any message of Claude's API: what the ledger has of before, by a wrong clock, is one
step."""

_QUARTER_MS: Final = 900_000


class Steps(NamedTuple):
    """A period in steps of one size, and the one before it; `None` where there is none. `models`
    are the sums of all steps of the period by model."""

    size: StepSize
    now: list[StepSums]
    before: list[StepSums] | None
    models: dict[str, Sums]


async def steps_of(
    period: Period, zone: tzinfo, reads: RangeReads, now: datetime | None = None
) -> Steps:
    """The steps of a period. Of one without a beginning, from the first that has messages.

    All its messages are in one of its steps.
    """
    present = now or datetime.now(UTC)
    start = period.start
    first = int(_FIRST.timestamp() * 1000)
    if start is None or start < first:
        return await _open(period, zone, reads, first, _end(period, first, present))
    end = _end(period, start, present)
    size = step_size(start, end)
    steps = time_steps(start, end, size, zone)
    earlier = before(period, zone, present)
    if earlier is None or earlier.start is None:
        found = await reads.ranges(_ranges(steps, period.end))
        return Steps(size, _sums(steps, found), None, _together(found))
    past = time_steps(earlier.start, start, size, zone)
    found = await reads.ranges([*_ranges(steps, period.end), *_ranges(past, start)])
    now_found, past_found = found[: len(steps)], found[len(steps) :]
    return Steps(size, _sums(steps, now_found), _sums(past, past_found), _together(now_found))


async def _open(period: Period, zone: tzinfo, reads: RangeReads, first: int, end: int) -> Steps:
    """By month, and then in smaller steps where it turns out to be short."""
    size: StepSize = "month"
    while True:
        steps = time_steps(first, end, size, zone)
        oldest = TimeStep("earlier", first if period.start is None else period.start)
        ranges = [(period.start, first), *_ranges(steps, period.end)]
        found = await reads.ranges(ranges)
        rows = _sums([oldest, *steps], found)
        while rows and not rows[0].models:
            rows.pop(0)
        start = rows[0].start if rows else end
        finer = step_size(start, end)
        # Hours of what began this morning are days to who asks for all of it.
        if finer in {"quarter", "hour"}:
            finer = "day"
        if finer == size or not rows or rows[0].label == oldest.label:
            return Steps(size, rows, None, _together(found))
        size, first = finer, start


def _end(period: Period, start: int, present: datetime) -> int:
    """Where the steps end: with the quarter of an hour that it is, or before."""
    now = (int(present.timestamp() * 1000) // _QUARTER_MS + 1) * _QUARTER_MS
    end = now if period.end is None else min(period.end, max(now, start + _QUARTER_MS))
    return max(end, start + _QUARTER_MS)


def _ranges(steps: Sequence[TimeStep], end: int | None) -> list[Bounds]:
    # The last step has all that is left: of a clock that is ahead, too.
    ends = [*(each.start for each in steps[1:]), end]
    return [(each.start, last) for each, last in zip(steps, ends, strict=True)]


def _sums(steps: Sequence[TimeStep], found: Sequence[Mapping[str, Sums]]) -> list[StepSums]:
    return [
        StepSums(label=each.label, start=each.start, models=models)
        for each, models in zip(steps, found, strict=False)
    ]


def _together(found: Iterable[Mapping[str, Sums]]) -> dict[str, Sums]:
    cells = fold((None, model, sums) for part in found for model, sums in part.items())
    return cells.get(None, {})
