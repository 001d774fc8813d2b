"""How much a request may send."""

from typing import Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from token_tracking_server.gateway.errors import BodyTooLargeError
from token_tracking_server.gateway.metrics import Gauges

MOST_BYTES: Final = 32 * 1024 * 1024
"""Of one body: what Anthropic's API takes."""

_TOO_LARGE: Final = f"The body is larger than {MOST_BYTES:,} bytes. Send less at once."


class BodyLimit:
    """Refuses bodies that are too large: by their length, or where they pass it."""

    def __init__(self, app: ASGIApp, gauges: Gauges) -> None:
        self._app = app
        self._gauges = gauges

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        length = Headers(scope=scope).get("content-length", "")
        if length.isdecimal() and int(length) > MOST_BYTES:
            self._gauges.error(BodyTooLargeError.__name__)
            await JSONResponse({"detail": _TOO_LARGE}, 413)(scope, receive, send)
            return
        await self._app(scope, _limited(receive), send)


def _limited(receive: Receive) -> Receive:
    received = 0

    async def receive_limited() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > MOST_BYTES:
            raise HTTPException(413, _TOO_LARGE)
        return message

    return receive_limited
