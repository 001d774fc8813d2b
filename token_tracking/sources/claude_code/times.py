"""Times of transcript lines, in milliseconds since 1970 UTC."""

from datetime import UTC, datetime, timedelta
from typing import Final

from token_tracking.usage import MAX_TIMESTAMP

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


def milliseconds(timestamp: str | None) -> int | None:
    """An ISO 8601 time; `None` for what is none, has no zone, or lies outside 1970 to 3000."""
    if timestamp is None:
        return None
    try:
        at = (datetime.fromisoformat(timestamp) - _EPOCH) // _MILLISECOND
    except (ValueError, TypeError, OverflowError):
        return None
    return at if 0 <= at <= MAX_TIMESTAMP else None
