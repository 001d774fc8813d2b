"""A period in steps of the user's clock and calendar."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final, NamedTuple

from token_tracking.efficiency.snapshot import StepSize

_LONGEST: Final[tuple[tuple[timedelta, StepSize], ...]] = (
    (timedelta(hours=3), "quarter"),
    (timedelta(hours=49), "hour"),
    (timedelta(days=62), "day"),
    (timedelta(days=371), "week"),
)
"""The longest period that is shown in each size; longer ones are shown in months."""

_HOUR_MS: Final = 3_600_000


class TimeStep(NamedTuple):
    """One step: its label, and its start in milliseconds since 1970 UTC."""

    label: str
    start: int


def step_size(start: int, end: int) -> StepSize:
    """The steps that a period is shown in: some dozens at most, or years of months."""
    length = timedelta(milliseconds=end - start)
    for longest, size in _LONGEST:
        if length <= longest:
            return size
    return "month"


def time_steps(start: int, end: int, size: StepSize, zone: tzinfo) -> list[TimeStep]:
    """The steps from `start` up to, not including, `end` (milliseconds since 1970 UTC).

    They begin where the quarters, hours, days, weeks (on Mondays) and months of `zone` do: the
    first and the last may be parts of one.
    """
    steps: list[TimeStep] = []
    while start < end:
        moment = datetime.fromtimestamp(start / 1000, zone)
        steps.append(TimeStep(_label(moment, size), start))
        # Where a clock was put back, the hour that it shows began before.
        following = _milliseconds(_FOLLOWING[size](moment))
        start = following if following > start else start + _HOUR_MS
    return steps


def _label(moment: datetime, size: StepSize) -> str:
    if size in {"quarter", "hour"}:
        shown = moment if size == "quarter" else moment.replace(minute=0)
        return shown.strftime("%Y-%m-%d %H:%M")
    day = moment.date()
    if size == "week":
        day -= timedelta(days=day.weekday())
    return day.isoformat()[: 7 if size == "month" else 10]


def _next_quarter(moment: datetime) -> datetime:
    return moment.astimezone(UTC) + timedelta(minutes=15 - moment.minute % 15)


def _next_hour(moment: datetime) -> datetime:
    later = (moment.astimezone(UTC) + timedelta(hours=1)).astimezone(moment.tzinfo)
    return later.replace(minute=0)


def _next_day(moment: datetime) -> datetime:
    return _midnight(moment.date() + timedelta(days=1), moment)


def _next_week(moment: datetime) -> datetime:
    return _midnight(moment.date() + timedelta(days=7 - moment.weekday()), moment)


def _next_month(moment: datetime) -> datetime:
    return _midnight((moment.date().replace(day=1) + timedelta(days=32)).replace(day=1), moment)


def _midnight(day: date, moment: datetime) -> datetime:
    return datetime.combine(day, time(), moment.tzinfo)


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


_FOLLOWING: Final[dict[StepSize, Callable[[datetime], datetime]]] = {
    "quarter": _next_quarter,
    "hour": _next_hour,
    "day": _next_day,
    "week": _next_week,
    "month": _next_month,
}
