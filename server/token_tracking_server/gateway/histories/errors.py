"""What can go wrong with a session's history; each text says what to do next."""

from token_tracking.errors import TokenTrackingError


class SessionChangedError(TokenTrackingError):
    """Another process went on with the same session in the meantime."""


class SessionFullError(TokenTrackingError):
    """A session's history has become too large to be kept."""
