"""Refusals, as each of the providers words them."""

from typing import Any

from tests.upstream.completions.dialects import Dialect
from tests.upstream.errors import Refusal
from tests.upstream.values import Json

_KINDS = {
    401: ("invalid_request_error", "invalid_api_key"),
    404: ("invalid_request_error", "model_not_found"),
    413: ("tokens", "rate_limit_exceeded"),
    429: ("requests", "rate_limit_exceeded"),
    500: ("server_error", None),
    503: ("server_error", None),
}
"""Type and code at a status (the API's page on errors, and the providers' own answers)."""

_MESSAGES = {
    401: "Incorrect API key provided.",
    429: "Rate limit reached for requests",
    500: "The server had an error while processing your request. Sorry about that!",
    503: "The engine is currently overloaded, please try again later",
}

_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}


class CompletionRefusal(Refusal):
    """A refusal in OpenAI's shape; `param` names the field that is wrong."""

    def __init__(
        self,
        status: int,
        message: str = "",
        headers: dict[str, str] | None = None,
        *,
        dialect: Dialect = "openai",
        param: str | None = None,
    ) -> None:
        super().__init__(status, message or _MESSAGES.get(status, ""), headers)
        self.dialect: Dialect = dialect
        self.param = param

    def body(self, request_id: str) -> Any:
        """What is sent; Gemini sends a list of errors. `request_id` stands in a header only."""
        if self.dialect == "gemini":
            status = _STATUSES.get(self.status, "UNKNOWN")
            return [{"error": {"code": self.status, "message": self.message, "status": status}}]
        return {"error": self.error()}

    def error(self) -> Json:
        """The error by itself, as it also stands in a stream that breaks off."""
        kind, code = _KINDS.get(self.status, ("invalid_request_error", None))
        if self.dialect == "groq":
            return {"message": self.message, "type": kind, "code": code}
        return {"message": self.message, "type": kind, "param": self.param, "code": code}


def refused(refusal: Refusal, dialect: Dialect) -> CompletionRefusal:
    """A refusal that came from what both forms share, in this provider's shape."""
    if isinstance(refusal, CompletionRefusal):
        return refusal
    told = "" if refusal.message == refusal.kind else refusal.message
    return CompletionRefusal(refusal.status, told, refusal.headers, dialect=dialect)
