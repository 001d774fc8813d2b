"""Moments as the API tells them."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from pydantic import Field

Moment = Annotated[datetime, Field(description="UTC, as ISO 8601.")]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def moment(milliseconds: int) -> datetime:
    """Milliseconds since 1970 UTC as a moment."""
    return _EPOCH + timedelta(milliseconds=milliseconds)
