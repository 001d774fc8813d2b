"""Periods of time: half-open, in a time zone."""

import os
import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from token_tracking.errors import InvalidPeriodError

PERIODS: Final = (
    "today, 7d, 30d, all, or FROM..TO such as 2026-11-01..2026-11-08,"
    " or last_hour, last_day, last_week, last_month, all_time"
)
NAMED_PERIODS: Final = ("last_hour", "last_day", "last_week", "last_month", "all_time")
"""The names of the rolling periods, and of all of it."""

_ALL: Final = frozenset({"all", "all_time"})
_DAYS: Final = re.compile(r"(\d{1,5})d")
_CLOCK: Final = {"last_hour": timedelta(hours=1), "last_day": timedelta(days=1)}
_WALL: Final = {"last_week": timedelta(days=7), "last_month": timedelta(days=30)}

Moment = date | datetime
PeriodLike = str | tuple[Moment, Moment]
"""A period by name, or from a date (or time) up to, not including, another."""


class Period(NamedTuple):
    """From `start` up to, not including, `end`: milliseconds since 1970 UTC, `None` for open."""

    name: str
    start: int | None
    end: int | None


def parse_period(given: PeriodLike, zone: tzinfo, now: datetime | None = None) -> Period:
    """A period by its name or its two dates or times, in the days of `zone`.

    `7d` is today and the six days before it. `last_hour`, `last_day` (24 hours), `last_week` (7
    days to the same time of the day) and `last_month` (30 such days) end now, and begin at the
    quarter of an hour that holds their first moment. In `FROM..TO` the first day belongs to the
    period and the last one does not; either may be left out. Times (`2026-11-01T10:00`, in `zone`
    where they name none) count from the quarter of an hour that holds them.

    Raises:
        InvalidPeriodError: there is no such period.
    """
    if isinstance(given, tuple):
        first, last = given
        return _between(f"{first.isoformat()}..{last.isoformat()}", first, last, zone)
    moment = (now or datetime.now(UTC)).astimezone(zone)
    if given in _ALL:
        return Period(given, None, None)
    if given in _CLOCK:
        return Period(given, _quarter(moment.astimezone(UTC) - _CLOCK[given]), None)
    if given in _WALL:
        return Period(given, _quarter(moment - _WALL[given]), None)
    return _days(given, zone, moment.date()) or _dates(given, zone)


def before(period: Period, zone: tzinfo, now: datetime | None = None) -> Period | None:
    """The period of the same length that ends where this one begins; `None` where it has no
    beginning.

    Days are those of `zone`: what begins at midnight, or a week or month ago, is as many days,
    however many hours these have. One that is open to the end lasts up to `now`.
    """
    if period.start is None:
        return None
    start = datetime.fromtimestamp(period.start / 1000, zone)
    end = (now or datetime.now(UTC)).astimezone(zone)
    if period.end is not None:
        end = datetime.fromtimestamp(period.end / 1000, zone)
    try:
        first = _start_before(period, start, end)
        return Period(f"before {period.name}", _quarter(first), period.start)
    except (OverflowError, ValueError):  # before the first year
        return None


def _start_before(period: Period, start: datetime, end: datetime) -> datetime:
    if period.name in _WALL:
        return start - _WALL[period.name]
    ends_a_day = period.end is None or end.time() == time()
    if start.time() == time() and ends_a_day and period.name not in _CLOCK:
        days = (end.date() - start.date()).days + (period.end is None)
        return start - timedelta(days=max(days, 1))
    length = _CLOCK.get(period.name) or end.astimezone(UTC) - start.astimezone(UTC)
    return start.astimezone(UTC) - max(length, timedelta(minutes=15))


def _days(text: str, zone: tzinfo, today: date) -> Period | None:
    days = _DAYS.fullmatch("1d" if text == "today" else text)
    if days is None or int(days[1]) == 0:
        return None
    try:
        first = today - timedelta(days=int(days[1]) - 1)
    except OverflowError:
        return Period(text, None, None)
    return Period(text, _milliseconds(first, zone), None)


def _dates(text: str, zone: tzinfo) -> Period:
    first, dots, last = text.partition("..")
    if not dots or not (first or last):
        raise InvalidPeriodError(f"There is no period {text[:50]!r}: use {PERIODS}.")
    start = _moment(first) if first else None
    return _between(text, start, _moment(last) if last else None, zone)


def _between(name: str, first: Moment | None, last: Moment | None, zone: tzinfo) -> Period:
    start = None if first is None else _milliseconds(first, zone)
    end = None if last is None else _milliseconds(last, zone)
    if start is None or end is None or start < end:
        return Period(name, start, end)
    if isinstance(first, datetime) or isinstance(last, datetime):
        raise InvalidPeriodError(
            f"The period {name} is empty: it has to end after it begins, at least a quarter of an"
            " hour."
        )
    raise InvalidPeriodError(
        f"The period {name} is empty: its last day, {last}, does not belong to it."
    )


def time_zone(name: str | None = None) -> tzinfo:
    """A time zone by its IANA name; by default the machine's.

    Raises:
        InvalidPeriodError: there is no such time zone.
    """
    if name is None:
        return _local_zone()
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidPeriodError(
            f"There is no time zone {name[:50]!r}: use a name such as Europe/Berlin or UTC."
        ) from error


def _local_zone() -> tzinfo:
    """The machine's zone, with its changes over the year where the system names it."""
    name = os.environ.get("TZ", "").removeprefix(":")
    for candidate in (name, _linked_zone()):
        if candidate:
            try:
                return ZoneInfo(candidate)
            except (ZoneInfoNotFoundError, ValueError, OSError):
                continue
    return datetime.now().astimezone().tzinfo or UTC


def _linked_zone() -> str:
    target = os.path.realpath("/etc/localtime")
    return target.partition("zoneinfo/")[2]


def _moment(text: str) -> Moment:
    kind, example = ("time", "2026-11-21T14:30") if "T" in text else ("day", "2026-11-21")
    try:
        return datetime.fromisoformat(text) if kind == "time" else date.fromisoformat(text)
    except ValueError as error:
        raise InvalidPeriodError(f"{text[:50]!r} is no {kind}: write it as {example}.") from error


def _milliseconds(moment: Moment, zone: tzinfo) -> int:
    """The start of a day, or of the quarter of an hour that holds a time."""
    if not isinstance(moment, datetime):
        return int(datetime.combine(moment, time(), zone).timestamp() * 1000)
    return _quarter(moment if moment.tzinfo else moment.replace(tzinfo=zone))


def _quarter(moment: datetime) -> int:
    return int(moment.timestamp()) // 900 * 900_000
