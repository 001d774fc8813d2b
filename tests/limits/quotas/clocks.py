"""A clock that tests set."""

from datetime import UTC, datetime


class Clock:
    """Seconds since 1970; begins on a Wednesday at noon (UTC)."""

    def __init__(self, at: str = "2026-07-15T12:00:00") -> None:
        self.at = 0.0
        self.set(at)

    def __call__(self) -> float:
        return self.at

    def set(self, at: str) -> None:
        """To a moment in UTC."""
        self.at = datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp()


def ms(at: str) -> int:
    """A moment in UTC, in milliseconds since 1970."""
    return round(datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp() * 1000)
