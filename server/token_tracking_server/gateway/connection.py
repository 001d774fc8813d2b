"""A caller's connection: uvicorn's, with the bounds that it lacks."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from token_tracking_server.gateway.errors import (
    BadRequestError,
    GatewayError,
    HeadTooLargeError,
    MethodNotAllowedError,
    SlowRequestError,
    error_response,
)

MOST_HEAD_BYTES: Final = 256 << 10
"""Of a request's first line and headers. Servers commonly take 8 to 64 KiB."""

_BESIDE: Final = len(b": \r\n")

HEAD_SECONDS: Final = 60.0
"""A request's head comes whole in this time."""

_MOST_EARLY_BYTES: Final = 256 << 10
_LINGER_SECONDS: Final = 2.0
"""A connection that is closed while bytes come is reset, and what was answered is lost."""


class Connection(HttpToolsProtocol):
    """One caller's connection, whose requests are answered one after the other.

    Uvicorn's own takes heads of any size, adds trailers to the headers, no longer sees the caller
    leave once a second request waits, and sends chunks to callers that speak HTTP/1.0.
    """

    _is_in_head = True
    _is_deaf = False
    """Whether what comes is dropped. It is read nevertheless: who leaves is seen."""
    _unused_bytes = 0
    """Of headers, or of trailers and what else stands between chunks."""
    _head_timer: asyncio.TimerHandle | None = None
    _early = b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request no longer than for each further one."""
        super().connection_made(transport)
        self._close_after(self.timeout_keep_alive)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._unset_head_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """What comes before the answer is over waits for that: a caller who has seen all of a body
        may ask again before its end was written."""
        if self._is_deaf:
            return
        if self._is_answering():
            self._keep(data)
            return
        self._unset_keepalive_if_required()
        self._unused_bytes += len(data)
        try:
            self.parser.feed_data(data)
        except HttpParserUpgrade as upgrade:
            self._go_on_without_upgrade(data[upgrade.args[0] :])
            return
        except HttpParserError as error:
            self._stop(error.__context__)
            return
        if self._unused_bytes > MOST_HEAD_BYTES:
            self._stop(_too_large())
        elif self._is_in_head and self._head_timer is None and not self._is_answering():
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self._head_is_late)

    def on_message_begin(self) -> None:
        """Raises `_SecondRequestError` within the bytes of one that is not answered."""
        if self._is_answering():
            raise _SecondRequestError
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Raises `GatewayError` where such a request is not taken."""
        self._unset_head_timer()
        # The bytes that came may be the body's, too.
        if self._unused_bytes > MOST_HEAD_BYTES and self._head_bytes() > MOST_HEAD_BYTES:
            raise _too_large()
        if self.parser.get_method() == b"CONNECT":
            raise MethodNotAllowedError("The gateway is no proxy: ask it for its own paths.")
        if self.parser.should_upgrade():
            return
        self._is_in_head, self._unused_bytes = False, 0
        super().on_headers_complete()
        # Trailers come as headers do, and must not be among them.
        self.headers = _DROPPED
        if self.cycle.scope["http_version"] == "1.0":
            self.cycle.__class__ = _CycleWithoutChunks

    def on_body(self, body: bytes) -> None:
        """What came was used."""
        self._unused_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """What comes next is a head."""
        if self._is_in_head:  # An upgrade was asked for: the parser takes the body for its bytes.
            return
        super().on_message_complete()
        self._is_in_head, self._unused_bytes = True, 0

    def on_response_complete(self) -> None:
        """Go on with what came early."""
        super().on_response_complete()
        early, self._early = self._early, b""
        if early and not self.transport.is_closing():
            self.data_received(early)

    def _is_answering(self) -> bool:
        cycle = self.cycle
        return cycle is not None and not (cycle.more_body or cycle.response_complete)  # pyright: ignore[reportUnnecessaryComparison]

    def _go_on_without_upgrade(self, rest: bytes) -> None:
        """Read the request anew without it, as a server may that offers no other protocol: Java's
        clients ask for HTTP/2 with each request."""
        lines = [b"%s: %s\r\n" % header for header in self.headers if header[0] != b"upgrade"]
        head = b"%s %s HTTP/1.1\r\n" % (self.parser.get_method(), self.url)
        self.parser = HttpRequestParser(self)
        self.data_received(head + b"".join(lines) + b"\r\n" + rest)

    def _keep(self, data: bytes) -> None:
        self._early += data
        if len(self._early) > _MOST_EARLY_BYTES:
            self._early = b""
            self._end_after_answer()

    def _end_after_answer(self) -> None:
        """Take nothing more from a caller that does not wait for its answer."""
        self._is_deaf = True
        self.cycle.keep_alive = False

    def _head_bytes(self) -> int:
        lines = sum(len(name) + len(value) + _BESIDE for name, value in self.headers)
        return len(self.url) + lines

    def _head_is_late(self) -> None:
        self._head_timer = None
        self._stop(SlowRequestError(f"The headers did not come within {HEAD_SECONDS:g} seconds."))

    def _unset_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _stop(self, reason: BaseException | None) -> None:
        """Read no further: the request is refused, unless one before it is being answered."""
        if self.transport.is_closing():
            return
        if self._is_answering():
            self._end_after_answer()
            return
        self._is_deaf = True
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:  # pyright: ignore[reportUnnecessaryComparison]
            # Its body broke off: whoever waits for that is told that the caller is gone.
            cycle.disconnected = True
            cycle.message_event.set()
            if cycle.response_started:
                self.transport.close()
                return
        if not isinstance(reason, GatewayError):
            reason = BadRequestError("This is no HTTP request.")
        self._refuse(reason)

    def _refuse(self, error: GatewayError) -> None:
        response = error_response(error, "own")
        headers = [*response.headers, (b"connection", b"close")]
        head = b"".join(b"%s: %s\r\n" % header for header in headers)
        self.transport.write(STATUS_LINE[response.status] + head + b"\r\n" + response.body)
        self.transport.write_eof()
        self._close_after(_LINGER_SECONDS)

    def _close_after(self, seconds: float) -> None:
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_later(
            seconds, self.timeout_keep_alive_handler
        )


class _Dropped(list[tuple[bytes, bytes]]):
    def append(self, item: tuple[bytes, bytes], /) -> None:
        pass


_DROPPED: Final = _Dropped()


class _SecondRequestError(Exception):
    """A caller asked again in one piece with what it asked before."""


class _CycleWithoutChunks(RequestResponseCycle):
    """For HTTP/1.0, which has no chunks: a body without a length ends with the connection."""

    _has_length = True

    async def send(self, message: Mapping[str, Any]) -> None:  # type: ignore[override]
        if message["type"] == "http.response.start":
            self._has_length = any(name == b"content-length" for name, _ in message["headers"])
            if not self._has_length:
                self.chunked_encoding = False
        elif not self._has_length:
            self.expected_content_length = len(message.get("body", b""))
        await super().send(message)  # type: ignore[arg-type]


def _too_large() -> HeadTooLargeError:
    return HeadTooLargeError(f"The request's headers are larger than {MOST_HEAD_BYTES:,} bytes.")
