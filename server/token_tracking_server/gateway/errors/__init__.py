"""The gateway's own errors, and how each API says them."""

from token_tracking_server.gateway.errors.kinds import (
    BadRequestError,
    BodyTooLargeError,
    ForbiddenError,
    GatewayError,
    HeadTooLargeError,
    MethodNotAllowedError,
    MisdirectedError,
    NotFoundError,
    RefusedError,
    SlowRequestError,
    UnauthorizedError,
    UpstreamBrokeError,
    UpstreamTimeoutError,
    UpstreamUnreachableError,
)
from token_tracking_server.gateway.errors.shapes import Shape, error_response

__all__ = [
    "BadRequestError",
    "BodyTooLargeError",
    "ForbiddenError",
    "GatewayError",
    "HeadTooLargeError",
    "MethodNotAllowedError",
    "MisdirectedError",
    "NotFoundError",
    "RefusedError",
    "Shape",
    "SlowRequestError",
    "UnauthorizedError",
    "UpstreamBrokeError",
    "UpstreamTimeoutError",
    "UpstreamUnreachableError",
    "error_response",
]
