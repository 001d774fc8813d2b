"""Reads a response along as it passes."""

import zlib
from typing import Final

from token_tracking.sources.replies.values import Form
from token_tracking_server.gateway.exchanges import Headers
from token_tracking_server.gateway.managing.assembling.anthropic import (
    AnthropicAssembler,
    anthropic_message,
)
from token_tracking_server.gateway.managing.assembling.events import Events, read_object
from token_tracking_server.gateway.managing.assembling.openai import (
    OpenAIAssembler,
    openai_message,
)
from token_tracking_server.gateway.managing.assembling.values import Assembled, Assembler

MOST_BYTES: Final = 64 * 1024 * 1024
"""Of a body that is read along; a longer one passes unread."""

_WINDOW_BITS: Final = {"gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}


class AnswerReader:
    """Takes the bytes of a body as they come; what cannot be read has no message. Never raises."""

    def __init__(self, form: Form, status: int, headers: Headers) -> None:
        told = dict(headers)
        coding = told.get(b"content-encoding", b"identity").decode("latin-1").strip().lower()
        is_stream = told.get(b"content-type", b"").startswith(b"text/event-stream")
        self._form: Form = form
        self._can_read = status == 200 and (coding == "identity" or coding in _WINDOW_BITS)
        self._inflate = zlib.decompressobj(_WINDOW_BITS[coding]) if coding in _WINDOW_BITS else None
        self._events = Events() if is_stream else None
        self._assembler: Assembler = (
            AnthropicAssembler() if form == "anthropic" else OpenAIAssembler()
        )
        self._body: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> None:
        """More of the body."""
        if not self._can_read:
            return
        plain = self._decoded(data)
        self._size += len(plain)
        if self._size > MOST_BYTES:
            self._can_read = False
            self._body.clear()
        elif self._events is None:
            self._body.append(plain)
        else:
            for event in self._events.feed(plain):
                self._assembler.take(event)

    @property
    def is_stream(self) -> bool:
        """Whether the body is a stream of events."""
        return self._events is not None

    @property
    def is_whole(self) -> bool:
        """Whether a stream has told its whole message, though its body may go on."""
        return self._can_read and self._assembler.is_whole()

    def finish(self) -> Assembled | None:
        """The message, where the whole of it came."""
        if not self._can_read:
            return None
        if self._events is not None:
            return self._assembler.assembled()
        body = read_object(b"".join(self._body))
        if body is None:
            return None
        return anthropic_message(body) if self._form == "anthropic" else openai_message(body)

    def _decoded(self, data: bytes) -> bytes:
        if self._inflate is None:
            return data
        try:
            return self._inflate.decompress(data, MOST_BYTES + 1)
        except zlib.error:
            self._can_read = False
            return b""
