"""What goes wrong with limits: the root of it, and what rate limits refuse."""

from token_tracking.errors import TokenTrackingError


class LimitError(TokenTrackingError):
    """A request is not to be sent now, or not at all, for it would pass a limit."""


class NeverFitsError(LimitError):
    """A request alone is larger than a limit: waiting would not help, a smaller one would.

    `what` is `requests`, `input tokens`, `output tokens` or `tokens` (input and output together).
    """

    def __init__(self, limit: int, requested: int, what: str) -> None:
        super().__init__(
            f"The request needs {requested:,} {what}, and the limit is {limit:,} per minute:"
            " make it smaller, or raise the limit."
        )
        self.limit = limit
        self.requested = requested
        self.what = what


class WaitTooLongError(LimitError):
    """The rate limit has no room within the time that the caller would wait.

    `retry_after` (seconds) is when there may be room, if nothing is given back before.
    """

    def __init__(self, retry_after: float) -> None:
        super().__init__(
            f"The rate limit has no room yet: try again in {retry_after:,.1f} seconds."
        )
        self.retry_after = retry_after


class RateStorageError(LimitError):
    """The storage of rate limits (Redis) does not answer, or answers what it should not."""
