"""Periods of time: half-open, in a time zone."""

import os
import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from token_tracking.errors import InvalidPeriodError

PERIODS: Final = "today, 7d, 30d, all, or FROM..TO such as 2026-11-01..2026-11-08"
_DAYS: Final = re.compile(r"(\d{1,5})d")


class Period(NamedTuple):
    """From `start` up to, not including, `end`: milliseconds since 1970 UTC, `None` for open."""

    name: str
    start: int | None
    end: int | None


def parse_period(text: str, zone: tzinfo, now: datetime | None = None) -> Period:
    """A period by its name, in the days of `zone`.

    `7d` is today and the six days before it. In `FROM..TO` the first day belongs to the period
    and the last one does not; either may be left out.

    Raises:
        InvalidPeriodError: there is no such period.
    """
    today = (now or datetime.now(UTC)).astimezone(zone).date()
    if text == "all":
        return Period(text, None, None)
    if text == "today":
        return Period(text, _midnight(today, zone), None)
    if days := _DAYS.fullmatch(text):
        try:
            first = today - timedelta(days=max(int(days[1]) - 1, 0))
        except OverflowError:
            return Period(text, None, None)
        if int(days[1]) > 0:
            return Period(text, _midnight(first, zone), None)
    first, dots, last = text.partition("..")
    if not dots or not (first or last):
        raise InvalidPeriodError(f"There is no period {text[:50]!r}: use {PERIODS}.")
    start = _midnight(_day(first), zone) if first else None
    end = _midnight(_day(last), zone) if last else None
    if start is not None and end is not None and start >= end:
        raise InvalidPeriodError(
            f"The period {text} is empty: its last day, {last}, does not belong to it."
        )
    return Period(text, start, end)


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


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidPeriodError(f"{text[:50]!r} is no day: write it as 2026-11-21.") from error


def _midnight(day: date, zone: tzinfo) -> int:
    return int(datetime.combine(day, time(), zone).timestamp() * 1000)
