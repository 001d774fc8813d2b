"""The caller, and its connection itself for what ASGI has no words for.

Uvicorn hands an application bound methods of the request's cycle, whose transport is a private
attribute: `tests/gateway/passing` holds that against the installed version.
"""

import asyncio
import socket
import struct
from contextlib import suppress
from typing import Any, Final

from token_tracking_server.gateway.exchanges.values import Headers
from token_tracking_server.gateway.passing.request import Receive, Send

_NO_LINGERING: Final = struct.pack("ii", 1, 0)


class Caller:
    """Who waits for an answer. If it goes away, the task that made this is cancelled."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._task = asyncio.current_task()
        self._watching = asyncio.get_running_loop().create_task(self._watch())
        self._is_over = False
        self.is_gone = False
        self.has_begun = False

    async def begin(self, status: int, headers: Headers) -> None:
        """Send the head of an answer."""
        self.has_begun = True
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def give(self, chunk: bytes, *, is_last: bool) -> None:
        """Send bytes of the body."""
        if is_last:
            self.leave()
        await self._send({"type": "http.response.body", "body": chunk, "more_body": not is_last})

    def leave(self) -> None:
        """Follow it no longer: its going away ends nothing any more."""
        self._is_over = True
        self._watching.cancel()

    def forget_cancelling(self) -> None:
        """Nothing else is to end because it went away."""
        if self.is_gone and self._task is not None:
            self._task.uncancel()

    def drop(self, *, is_reset: bool = False) -> None:
        """Break its connection where it stands, as the upstream's broke: what was sent is sent, the
        response stays without an end.

        Raises:
            ConnectionResetError: the server is not uvicorn, and will break it by itself.
        """
        self.leave()
        cycle: Any = getattr(self._send, "__self__", None)
        # uvloop's transports are no `asyncio.BaseTransport`.
        transport: asyncio.BaseTransport | None = getattr(cycle, "transport", None)
        if transport is None:
            raise ConnectionResetError("The upstream's connection broke.")
        # Uvicorn would otherwise report an application that answered nothing, or not all.
        cycle.disconnected = True
        if is_reset:
            _reset(transport)
        else:
            transport.close()

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        if not self._is_over and self._task is not None:
            self.is_gone = True
            self._task.cancel()


def _reset(transport: asyncio.BaseTransport) -> None:
    connection = transport.get_extra_info("socket")
    if connection is not None:
        with suppress(OSError, ValueError):  # the caller may be gone already
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGERING)
    transport.close()
