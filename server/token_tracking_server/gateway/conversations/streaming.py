"""An answer as server-sent events: `delta` with text, then `message`, or `error` where it broke."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing

import msgspec
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from token_tracking_server.gateway.conversations.answering import in_any_case
from token_tracking_server.gateway.conversations.callers import CallerGoneError, while_there
from token_tracking_server.gateway.conversations.models import AnswerOut
from token_tracking_server.gateway.conversations.underway import Underway
from token_tracking_server.gateway.errors import GatewayError
from token_tracking_server.gateway.metrics import Gauges


class AnswerEvents(StreamingResponse):
    """Streams an answer to its caller, and ends it where that goes away. `held` is closed at the
    end, whatever happens."""

    def __init__(self, underway: Underway, held: AsyncExitStack, gauges: Gauges) -> None:
        self._events = _events(underway, held, gauges)
        super().__init__(
            self._events,
            media_type="text/event-stream",
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        )
        self._held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it. The caller is waited for no longer than the connection lasts."""
        del scope
        try:
            await while_there(receive, self.stream_response(send))
        except CallerGoneError:
            pass
        finally:
            await in_any_case(self._close())

    async def _close(self) -> None:
        await self._events.aclose()
        await self._held.aclose()


async def _events(
    underway: Underway, held: AsyncExitStack, gauges: Gauges
) -> AsyncGenerator[bytes]:
    """All is closed before the last event: who has read it may go on at once."""
    try:
        async with aclosing(underway.texts()) as texts:
            async for text in texts:
                yield _event("delta", msgspec.json.encode({"text": text}))
        answer = AnswerOut.of(await underway.keep())
    except GatewayError as error:
        await held.aclose()
        gauges.own_error(error)
        said = {"detail": str(error), "status": error.status}
        yield _event("error", msgspec.json.encode(said))
    else:
        await held.aclose()
        yield _event("message", answer.model_dump_json().encode())


def _event(name: str, data: bytes) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + data + b"\n\n"
