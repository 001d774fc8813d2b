"""Periods in words."""

from typing import Final

_NAMES: Final = {
    "all": "All time",
    "all_time": "All time",
    "today": "Today",
    "7d": "Last 7 days",
    "30d": "Last 30 days",
    "last_hour": "The hour up to now",
    "last_day": "The 24 hours up to now",
    "last_week": "The 7 days up to now",
    "last_month": "The 30 days up to now",
}


def period_name(period: str) -> str:
    """A period in words. Of `7d` the days are calendar days, of `last_week` 24 hours each."""
    if period in _NAMES:
        return _NAMES[period]
    first, dots, last = period.partition("..")
    if not dots:
        return f"Last {period.removesuffix('d')} days"
    if not last:
        return f"From {first} on"
    return f"{f'From {first} to' if first else 'To'} {last} (not included)"
