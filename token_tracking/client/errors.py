"""Why the gateway did not do what it was asked. No text holds the token."""

from token_tracking.errors import TokenTrackingError


class GatewayError(TokenTrackingError):
    """The gateway refused, or could not be asked. `status` is that of its answer (HTTP), or `None`
    where there was none; `detail` is what it said; `retry_after` the seconds to wait before the
    next try, where it told."""

    def __init__(
        self, detail: str, status: int | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(detail if status is None else f"{detail} (status {status})")
        self.detail = detail
        self.status = status
        self.retry_after = retry_after


class GatewayUnreachableError(GatewayError):
    """No gateway answers at the address."""
