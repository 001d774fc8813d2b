"""An error of the gateway's own as the API that was called would say it."""

import secrets
from typing import Literal, NamedTuple

import msgspec

from token_tracking_server.gateway.errors.kinds import GatewayError

Shape = Literal["anthropic", "openai", "own"]
"""Whose clients read the answer. `own` is FastAPI's `{"detail": ...}`."""


class ErrorResponse(NamedTuple):
    """A whole response."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


def error_response(error: GatewayError, shape: Shape) -> ErrorResponse:
    """The response that says `error`. It has a request id of the gateway's own (`req_gateway_...`),
    where that API's clients look for one."""
    request_id = f"req_gateway_{secrets.token_hex(10)}"
    body = msgspec.json.encode(_said(error, shape, request_id))
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        *((name.encode(), value.encode()) for name, value in error.headers.items()),
    ]
    if shape != "own":
        name = b"request-id" if shape == "anthropic" else b"x-request-id"
        headers.append((name, request_id.encode()))
    return ErrorResponse(error.status, headers, body)


def _said(error: GatewayError, shape: Shape, request_id: str) -> dict[str, object]:
    message = str(error)
    if shape == "anthropic":
        said = {"type": error.anthropic_type, "message": message}
        return {"type": "error", "error": said, "request_id": request_id}
    if shape == "openai":
        code = error.openai_code
        kind = error.openai_type
        return {"error": {"message": message, "type": kind, "param": None, "code": code}}
    return {"detail": message}
