"""A reader of HTTP that loses nothing of what came before an error, and tells of it at once.

aiohttp's parser takes what came in one piece, and forgets all of it where something in it is wrong.
Callers would have seen the response's head, and what there was of its body. The names here are
private to aiohttp: `tests/gateway/passing` holds them against the installed version.
"""

import re
import select
import socket
from asyncio import AbstractEventLoop
from functools import partial
from typing import Any, Final

from aiohttp import BaseConnector, ClientPayloadError, StreamReader
from aiohttp.client_proto import ResponseHandler

from token_tracking_server.gateway.upstreams.heads import LONGEST_HEAD, is_interim, mended

_END_OF_HEAD: Final = re.compile(rb"\n\r?\n")
_BEGIN: Final = b"HTTP/"


class _HeadsFirst(ResponseHandler):
    """Parses the head of a response, once it is whole, before what follows it."""

    def __init__(self, loop: AbstractEventLoop) -> None:
        super().__init__(loop)
        self._head = b""

    def is_connected(self) -> bool:
        """Whether the next request can have this connection. What came unasked for, its end among
        it, may not have been read yet: without a look at it that request would be lost."""
        return (
            super().is_connected()
            and not self.should_close
            and not self._head
            and not _is_readable(self.transport)
        )

    def data_received(self, data: bytes) -> None:
        rest = self._after_heads(data) if data else data
        if rest is not None:
            super().data_received(rest)
        error, payload = self.exception(), self._payload
        if error is not None and payload is not None and payload.exception() is None:
            # Whoever reads the body would wait until the call's own time is over.
            payload.set_exception(ClientPayloadError("The body is not framed as it should be."))

    def _after_heads(self, data: bytes) -> bytes | None:
        """What follows the heads, which are parsed here; `None` where nothing came of it yet."""
        while self._awaits_head():
            begin = max(0, len(self._head) - 2)
            data, self._head = self._head + data, b""
            end = _END_OF_HEAD.search(data, begin)
            if end is None:
                return self._without_end(data)
            head, data = data[: end.end()], data[end.end() :]
            super().data_received(mended(head))
            # What follows a whole body belongs to no response.
            if not data or not is_interim(head):
                break
        return data or None

    def _awaits_head(self) -> bool:
        is_in_body = self._payload is not None and not self._payload.is_eof()
        return not is_in_body and self._parser is not None and self.exception() is None

    def _without_end(self, data: bytes) -> bytes | None:
        """A head that is not whole is kept; what can never be one goes to the parser."""
        if data[: len(_BEGIN)] != _BEGIN[: len(data)]:
            return data
        if len(data) > LONGEST_HEAD:
            if self.transport is not None:
                self.transport.close()
            self.set_exception(ClientPayloadError("The head is longer than any client reads."))
            return None
        self._head = data
        return None

    def connection_lost(self, exc: BaseException | None) -> None:
        if self._head:
            head, self._head = self._head, b""
            super().data_received(head)
        payload = self._payload
        super().connection_lost(exc)
        error = None if payload is None else payload.exception()
        if error is not None and exc is not None:
            # aiohttp names it in a text alone: whether the connection was reset is to be passed on.
            error.__cause__ = exc


def read_heads_first(connector: BaseConnector) -> None:
    """Have a connector's connections read so, and none taken again that the other side ended."""
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


def _is_readable(transport: Any) -> bool:
    connection: socket.socket | None = transport.get_extra_info("socket")
    number = -1 if connection is None else connection.fileno()
    if number < 0:
        return False
    if not hasattr(select, "poll"):  # Windows, where `select` takes sockets of any number
        return bool(select.select([number], [], [], 0)[0])
    poll = select.poll()
    poll.register(number, select.POLLIN)
    return bool(poll.poll(0))
