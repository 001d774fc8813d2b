"""What goes wrong with counting."""

from token_tracking.errors import TokenTrackingError


class CountingError(TokenTrackingError):
    """Tokens cannot be counted as was asked: no key, no package, or a damaged vocabulary."""
