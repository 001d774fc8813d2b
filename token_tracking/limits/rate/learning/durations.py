"""Times until something, as providers write them; in seconds, or `None` where it is absurd."""

import math
import re
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final

MAX_SECONDS: Final = 86_400.0
"""Providers' longest windows are days; what is later than that is not believed."""

_NUMBER: Final = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")
_PARTS: Final = re.compile(
    r"(?:([0-9]{1,4})d)?(?:([0-9]{1,4})h)?(?:([0-9]{1,5})m(?!s))?"
    r"(?:([0-9]{1,6}(?:\.[0-9]{1,9})?)s)?(?:([0-9]{1,9}(?:\.[0-9]{1,9})?)ms)?"
)
_SECONDS: Final = (86_400.0, 3_600.0, 60.0, 1.0, 0.001)


def believable(seconds: float) -> float | None:
    """The same where it lies between now and a day."""
    return seconds if math.isfinite(seconds) and 0 <= seconds <= MAX_SECONDS else None


def duration(text: str) -> float | None:
    """Read `6m0s`, `1s`, `17ms`, `2m59.56s`, `1h`, or a plain number of seconds."""
    text = text.strip()
    if _NUMBER.fullmatch(text):
        return believable(float(text))
    found = _PARTS.fullmatch(text)
    if not text or not found:
        return None
    units = zip(found.groups(), _SECONDS, strict=True)
    return believable(sum(float(part) * unit for part, unit in units if part))


def until_instant(text: str, now: float) -> float | None:
    """Read an instant in RFC 3339's form (`2026-01-01T00:00:10Z`); past ones are 0."""
    try:
        instant = datetime.fromisoformat(text.strip())
        return _until(instant, now)
    except (ValueError, OverflowError):
        return None


def until_http_date(text: str, now: float) -> float | None:
    """Read a date of HTTP (`Wed, 21 Oct 2026 07:28:00 GMT`); past ones are 0."""
    try:
        return _until(parsedate_to_datetime(text.strip()), now)
    except (ValueError, OverflowError, IndexError, TypeError):
        return None


def _until(instant: datetime, now: float) -> float | None:
    return believable(max(0.0, instant.timestamp() - now)) if instant.tzinfo else None
