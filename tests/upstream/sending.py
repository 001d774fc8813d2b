"""An answer on its way: its bytes, what holds them up, and whether the caller still listens."""

import zlib
from collections.abc import AsyncIterator, Iterable

from starlette.responses import Response, StreamingResponse

from tests.upstream.received import Received
from tests.upstream.scripts import Answer

EVENT_STREAM = "text/event-stream; charset=utf-8"


class Gzip:
    """Compresses a body as it goes: what was fed can be read at once."""

    def __init__(self) -> None:
        self._compressor = zlib.compressobj(wbits=31)

    def feed(self, data: bytes) -> bytes:
        """The compressed bytes, all of them."""
        return self._compressor.compress(data) + self._compressor.flush(zlib.Z_SYNC_FLUSH)

    def finish(self) -> bytes:
        """The end of the body."""
        return self._compressor.flush()


def takes_gzip(received: Received) -> bool:
    """Whether the request says that it can read it."""
    named = received.headers.get("accept-encoding", "").split(",")
    return any(name.partition(";")[0].strip() == "gzip" for name in named)


async def _sent(
    events: Iterable[bytes], answer: Answer, received: Received, gzip: Gzip | None
) -> AsyncIterator[bytes]:
    gates = {gate.before: gate for gate in answer.gates}
    try:
        for number, event in enumerate(events):
            if number in gates:
                await gates[number].passed()
            yield gzip.feed(event) if gzip else event
            received.sent += 1
        if gzip:
            yield gzip.finish()
        received.is_whole = answer.breaks_after is None or received.sent <= answer.breaks_after
    finally:
        received.ended.set()


def stream(
    events: Iterable[bytes], answer: Answer, received: Received, *, compressed: bool
) -> Response:
    """The response that sends the events one by one, each when its gate is open.

    `received.ended` is set at its end, also where the caller went away before it.
    """
    gzip = Gzip() if compressed else None
    headers = dict(answer.headers) | ({"content-encoding": "gzip"} if gzip else {})
    return StreamingResponse(
        _sent(events, answer, received, gzip), headers=headers, media_type="text/event-stream"
    )


def compress(response: Response) -> None:
    """Compress a body that is there as a whole."""
    gzip = Gzip()
    response.body = gzip.feed(bytes(response.body)) + gzip.finish()
    response.headers["content-length"] = str(len(response.body))
    response.headers["content-encoding"] = "gzip"
