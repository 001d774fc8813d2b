"""About how many tokens a request will use, before it is sent."""

import asyncio
import re
from collections import OrderedDict
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import Struct

from token_tracking.counting.multipliers import default_multiplier
from token_tracking.counting.quick import quick_tokens
from token_tracking.usage import Usage
from token_tracking_server.gateway.exchanges import Ask

USUAL_OUTPUT: Final = 4_096
"""Held for the answer where a request does not say how long it may be. Models that may write
128,000 tokens hardly ever do; what was written is booked afterwards, whatever it was."""

MEDIA_TOKENS: Final = 1_600
"""For an image in base64: what Anthropic's largest has. Other files may have more."""

_MEDIA: Final = re.compile(rb'(?<=[",])[A-Za-z0-9+/]{2000,}={0,2}(?=")')
_QUICK_BYTES: Final = 32 * 1024
"""Of a longer body the tokens are counted on another thread: this much takes two milliseconds."""

_MOST_KNOWN: Final = 4_096


class Size(NamedTuple):
    """A body's bytes but for media in base64, and how many of those there are."""

    text_bytes: int
    media: int

    def tokens(self, per_byte: float) -> int:
        """The tokens at so many a byte."""
        return round(self.text_bytes * per_byte) + self.media * MEDIA_TOKENS


class Estimate(NamedTuple):
    """Tokens. `output` is the longest answer that was asked for."""

    size: Size
    prompt: int
    output: int
    writes_cache: bool

    @property
    def tokens(self) -> int:
        """Prompt and answer."""
        return self.prompt + self.output

    @property
    def usage(self) -> Usage:
        """The dearest way in which it can be billed: nothing read from a cache, and all written to
        it where the request asks for that."""
        if self.writes_cache:
            return Usage(cache_write_5m_tokens=self.prompt, output_tokens=self.output)
        return Usage(input_tokens=self.prompt, output_tokens=self.output)


class _Fields(Struct):
    max_tokens: Any = None
    max_completion_tokens: Any = None
    max_output_tokens: Any = None


_DECODER: Final = msgspec.json.Decoder(_Fields)


class Estimates:
    """Tokens a byte: what was billed last in the same session, else with the same model, else the
    quick estimate of the body (error p95 16%, beside what the API itself adds)."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, str], float] = OrderedDict()

    async def of(self, ask: Ask) -> Estimate:
        """The estimate of a request."""
        size = size_of(ask.body)
        per_byte = self._rate(ask)
        if per_byte is None:
            per_byte = await _quick_rate(ask, size)
        writes = b'"cache_control"' in ask.body
        return Estimate(size, size.tokens(per_byte), _asked_output(ask.body), writes)

    def learn(self, ask: Ask, size: Size, prompt_tokens: int) -> None:
        """Take what the prompt of a request was billed as."""
        counted = prompt_tokens - size.media * MEDIA_TOKENS
        if counted <= 0 or not size.text_bytes:
            return
        for key in _keys(ask):
            self._known[key] = counted / size.text_bytes
            self._known.move_to_end(key)
        while len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)

    def _rate(self, ask: Ask) -> float | None:
        return next((self._known[key] for key in _keys(ask) if key in self._known), None)


def size_of(body: bytes) -> Size:
    """How large a body is."""
    media, length = 0, len(body)
    if b"base64" in body:
        for found in _MEDIA.finditer(body):
            media += 1
            length -= len(found[0])
    return Size(length, media)


def _keys(ask: Ask) -> list[tuple[str, str]]:
    model = ask.model or ""
    session = ask.call.session_id
    return [(session, model), ("", model)] if session else [("", model)]


async def _quick_rate(ask: Ask, size: Size) -> float:
    if not size.text_bytes:
        return 0.0
    body = _MEDIA.sub(b"", ask.body) if size.media else ask.body
    text = body.decode("utf-8", "replace")
    short = len(body) <= _QUICK_BYTES
    tokens = quick_tokens(text) if short else await asyncio.to_thread(quick_tokens, text)
    multiplier = default_multiplier(ask.model or "")
    return tokens * (1.0 if multiplier is None else multiplier.multiplier) / size.text_bytes


def _asked_output(body: bytes) -> int:
    try:
        fields = _DECODER.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return USUAL_OUTPUT
    given = (fields.max_tokens, fields.max_completion_tokens, fields.max_output_tokens)
    known = [each for each in given if type(each) is int and 0 <= each <= 10**7]
    return max(known, default=USUAL_OUTPUT)
