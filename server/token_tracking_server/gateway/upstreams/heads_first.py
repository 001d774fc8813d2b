"""A reader of HTTP that loses nothing of what came before an error, and tells of it at once.

aiohttp's parser takes what came in one piece, and forgets all of it where something in it is wrong.
Callers would have seen the response's head, and what there was of its body. The names here are
private to aiohttp: `tests/gateway/passing` holds them against the installed version.
"""

from functools import partial
from typing import Any, Final

from aiohttp import BaseConnector, ClientPayloadError, StreamReader
from aiohttp.client_proto import ResponseHandler

_END_OF_HEAD: Final = b"\r\n\r\n"


class _HeadsFirst(ResponseHandler):
    """Parses the head of a response before what follows it."""

    def data_received(self, data: bytes) -> None:
        while self._payload is None or self._payload.is_eof():
            end = data.find(_END_OF_HEAD)
            if end < 0 or end + len(_END_OF_HEAD) == len(data) or self.exception() is not None:
                break
            end += len(_END_OF_HEAD)
            super().data_received(data[:end])
            data = data[end:]
            # What follows a whole body belongs to no response.
            if self._payload is not None and self._payload.is_eof():
                break
        super().data_received(data)
        error, payload = self.exception(), self._payload
        if error is not None and payload is not None and payload.exception() is None:
            # Whoever reads the body would wait until the call's own time is over.
            payload.set_exception(ClientPayloadError("The body is not framed as it should be."))

    def connection_lost(self, exc: BaseException | None) -> None:
        payload = self._payload
        super().connection_lost(exc)
        error = None if payload is None else payload.exception()
        if error is not None and exc is not None:
            # aiohttp names it in a text alone: whether the connection was reset is to be passed on.
            error.__cause__ = exc


def read_heads_first(connector: BaseConnector) -> None:
    """Have a connector's connections read so."""
    private: Any = connector
    private._factory = partial(_HeadsFirst, loop=private._loop)


def left_of(content: StreamReader) -> bytes:
    """What of a body came before the error that its reader raises. It is handed out once."""
    private: Any = content
    pieces: list[bytes] = list(getattr(private, "_buffer", ()))
    if not pieces:
        return b""
    offset: int = private._buffer_offset
    private._buffer.clear()
    private._buffer_offset = 0
    return b"".join(pieces)[offset:]
