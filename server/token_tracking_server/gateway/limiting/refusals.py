"""What a limit refuses, as an error that the caller's API could have given."""

from token_tracking.errors import StoreError, TokenTrackingError
from token_tracking.limits import (
    NeverFitsError,
    QuotaExceededError,
    RateStorageError,
    WaitTooLongError,
)
from token_tracking_server.gateway.errors import GatewayError, RefusedError


class LimitsUnavailableError(GatewayError):
    """Limits cannot be looked up: what may not pass them is not let through."""

    status = 503


class NeverFitsRateError(RefusedError):
    """The request alone is larger than its rate limit."""

    openai_type = "tokens"


class RateRefusedError(RefusedError):
    """The rate limit has no room in time."""

    openai_type = "requests"


def refused(error: TokenTrackingError, now: float) -> GatewayError:
    """The answer to a request that a limit refuses: 429. Only of a rate limit are clients told to
    come again by themselves; a quota that is used up is not there again in a moment. `now` is
    seconds since 1970."""
    text = f"token-tracking: {error}"
    if isinstance(error, WaitTooLongError):
        return RateRefusedError(text, retry_after=error.retry_after, should_retry=True)
    if isinstance(error, NeverFitsError):
        return NeverFitsRateError(text)
    if isinstance(error, QuotaExceededError):
        return RefusedError(text, retry_after=max(0.0, error.resets_at / 1000 - now))
    if isinstance(error, StoreError | RateStorageError):
        return LimitsUnavailableError(text)
    return RefusedError(text)
