"""Days, weeks from Monday, and months, in a time zone."""

from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple

from token_tracking.limits.quotas.values import Period


class Window(NamedTuple):
    """From `starts_at` on, up to and without `resets_at`: milliseconds since 1970 UTC."""

    starts_at: int
    resets_at: int


def window_of(period: Period, at_ms: int, zone: tzinfo | None) -> Window:
    """The day, week or month that holds a moment; without a zone, in the machine's own."""
    now = datetime.fromtimestamp(at_ms / 1000, zone)
    first = datetime(now.year, now.month, now.day, tzinfo=zone)
    if period == "day":
        after = first + timedelta(days=1)
    elif period == "week":
        first -= timedelta(days=first.weekday())
        after = first + timedelta(days=7)
    else:
        first = first.replace(day=1)
        after = (first + timedelta(days=31)).replace(day=1)
    # A day has 23 or 25 hours where the clocks change: both are taken by the calendar.
    return Window(_milliseconds(first), _milliseconds(after))


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
