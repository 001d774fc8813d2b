"""What the gateway itself refuses or cannot do. Their texts go to callers: they hold no key."""

from collections.abc import Mapping
from math import ceil
from typing import ClassVar

from token_tracking.errors import TokenTrackingError


class GatewayError(TokenTrackingError):
    """The gateway answers by itself, with `status`. `anthropic_type`, `openai_type` and
    `openai_code` are the words that those APIs have for it."""

    status: ClassVar[int] = 500
    anthropic_type: ClassVar[str] = "api_error"
    openai_type: ClassVar[str] = "server_error"
    openai_code: ClassVar[str | None] = None

    def __init__(self, message: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.headers = dict(headers or {})


class BadRequestError(GatewayError):
    """The request cannot be understood."""

    status = 400
    anthropic_type = openai_type = "invalid_request_error"


class UnauthorizedError(GatewayError):
    """The gateway's token is missing or wrong."""

    status = 401
    anthropic_type = "authentication_error"
    openai_type = "invalid_request_error"
    openai_code = "invalid_api_key"


class ForbiddenError(GatewayError):
    """Another web page asked."""

    status = 403
    anthropic_type = "permission_error"
    openai_type = "invalid_request_error"


class NotFoundError(GatewayError):
    """There is no such upstream, path or thing."""

    status = 404
    anthropic_type = "not_found_error"
    openai_type = "invalid_request_error"


class MethodNotAllowedError(GatewayError):
    """The request has a method that is not served at all."""

    status = 405
    anthropic_type = openai_type = "invalid_request_error"


class SlowRequestError(GatewayError):
    """The request did not come whole in the time that a call may take."""

    status = 408
    anthropic_type = "timeout_error"
    openai_type = "invalid_request_error"


class BodyTooLargeError(GatewayError):
    """The request's body is larger than the gateway takes."""

    status = 413
    anthropic_type = "request_too_large"
    openai_type = "invalid_request_error"


class MisdirectedError(GatewayError):
    """The request names a host that is not this one."""

    status = 421
    anthropic_type = "permission_error"
    openai_type = "invalid_request_error"


class HeadTooLargeError(GatewayError):
    """The request's headers are larger than the gateway takes."""

    status = 431
    anthropic_type = "request_too_large"
    openai_type = "invalid_request_error"


class RefusedError(GatewayError):
    """A limit or quota is reached. `retry_after` (seconds) says when to come again; without it
    clients are told not to try by themselves."""

    status = 429
    anthropic_type = "rate_limit_error"
    openai_type = "insufficient_quota"
    openai_code = "rate_limit_exceeded"

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        should_retry: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        given = dict(headers or {})
        if retry_after is not None:
            given["retry-after"] = str(max(1, ceil(retry_after)))
        given["x-should-retry"] = "true" if should_retry else "false"
        super().__init__(message, headers=given)


class UpstreamUnreachableError(GatewayError):
    """No connection to the upstream came about: refused, no such name, no TLS."""

    status = 502


class UpstreamTimeoutError(GatewayError):
    """The upstream did not answer in the time that the configuration allows."""

    status = 504
    anthropic_type = "timeout_error"


class UpstreamBrokeError(TokenTrackingError):
    """The upstream's connection broke. There is nothing to answer: the caller's is broken, too.

    `is_reset` says that it was reset, and not closed.
    """

    def __init__(self, message: str, *, is_reset: bool = False) -> None:
        super().__init__(message)
        self.is_reset = is_reset
