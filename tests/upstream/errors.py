"""Refusals, as Anthropic's API words them."""

from collections.abc import Mapping

from tests.upstream.values import Json

KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}
"""The kind of error that goes with a status (the API's page on errors)."""

MESSAGES = {
    401: "invalid x-api-key",
    413: "Request exceeds the maximum size",
    429: "This request would exceed your organization's rate limit.",
    500: "Internal server error",
    529: "Overloaded",
}


class Refusal(Exception):  # noqa: N818 (an answer, not a fault)
    """A request that is answered with an error."""

    def __init__(
        self, status: int, message: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        self.status = status
        self.kind = KINDS.get(status, "api_error" if status >= 500 else "invalid_request_error")
        self.message = message or MESSAGES.get(status, self.kind)
        self.headers = dict(headers or {})
        super().__init__(self.message)

    def body(self, request_id: str) -> Json:
        """What is sent."""
        error = {"type": self.kind, "message": self.message}
        return {"type": "error", "error": error, "request_id": request_id}


def invalid(message: str) -> Refusal:
    """A request that does not keep the API's rules (400)."""
    return Refusal(400, message)
