"""About how many tokens a request will use, before it is sent."""

import asyncio
from collections import OrderedDict
from functools import lru_cache
from math import ceil
from typing import Final, NamedTuple, TypeVar

from token_tracking.counting.multipliers import default_multiplier
from token_tracking.counting.quick import QUICK_ERROR_P95, quick_tokens
from token_tracking.pricing import limits
from token_tracking.sources.replies import plain_path
from token_tracking.usage import Usage
from token_tracking_server.gateway.exchanges import Ask
from token_tracking_server.gateway.limiting.asking import (
    Asked,
    Terms,
    asked_of,
    has_escapes,
    unescaped,
)
from token_tracking_server.gateway.limiting.media import parts_of

USUAL_OUTPUT: Final = 4_096
"""Counted towards a rate for the answer where a request does not say how long it may be: hardly
any is longer, and what was written is booked afterwards, whatever it was."""

MOST_OUTPUT: Final = 16_384
"""Held of a quota then, or the model's maximum where that is less. Some write more; what several of
them at once write beyond it passes a hard quota."""

LEAST_PER_BYTE: Final = 1 / 8
"""Tokens that a byte has at least, white space apart: half of what English text has. What was
billed last may have been a text that is written in uncommonly many bytes."""

MOST_PER_BYTE: Final = 1.0
"""More are of something else than the body: what a search found, or a file that the provider keeps.
They tell nothing of the next body."""

MOST_GROWN: Final = 2
"""Times a body has grown since its rate was learnt, from when on it is estimated anew."""

_BLANKS: Final = b" \t\r\n"
_QUICK_BYTES: Final = 32 * 1024
"""Of a longer body the tokens are counted on another thread: this much takes two milliseconds."""

_MOST_KNOWN: Final = 4_096
_WITHOUT_OUTPUT: Final = "/v1/embeddings"


class Rate(NamedTuple):
    """Tokens for each byte of a body; from a body of so many bytes, or with an `error` (relative)
    where that is known."""

    per_byte: float
    text_bytes: int = 0
    error: float = 0.0


class Size(NamedTuple):
    """A body's bytes but for white space and media, about how many tokens those are, and those of
    what the provider puts in front of it. `goes_on` names that."""

    text_bytes: int
    media_tokens: int
    kept_tokens: int = 0
    goes_on: str | None = None

    def tokens(self, rate: Rate) -> int:
        """The tokens at such a rate."""
        return round(self.text_bytes * rate.per_byte) + self.media_tokens + self.kept_tokens


class Estimate(NamedTuple):
    """Tokens. `held_prompt` is the prompt with the estimate's error, `output` the longest answer
    that was asked for, or else may be expected, of all choices together; `counted_output` what of
    it counts towards a rate."""

    size: Size
    prompt: int
    held_prompt: int
    output: int
    counted_output: int
    cache: str | None
    terms: Terms

    @property
    def tokens(self) -> int:
        """Prompt and answer, as they are held of a quota."""
        return self.held_prompt + self.output

    @property
    def usage(self) -> Usage:
        """The dearest way in which it can be billed: nothing read from a cache, and all written to
        it where the request asks for that, for as long."""
        if self.cache == "1h":
            return Usage(cache_write_1h_tokens=self.held_prompt, output_tokens=self.output)
        if self.cache == "5m":
            return Usage(cache_write_5m_tokens=self.held_prompt, output_tokens=self.output)
        return Usage(input_tokens=self.held_prompt, output_tokens=self.output)


_Key = tuple[str | None, ...]
_Name = TypeVar("_Name")
_Value = TypeVar("_Value")


class Estimates:
    """Tokens a byte: what was billed last in the same session, else for the same caller and model,
    else the quick estimate of the body (error p95 16%, beside what the API itself adds). One
    caller's requests say nothing of another's, and small ones little of a large one: most of what
    they are is names of fields."""

    def __init__(self) -> None:
        self._known: OrderedDict[_Key, Rate] = OrderedDict()
        self._kept: OrderedDict[str, int] = OrderedDict()

    async def of(self, ask: Ask) -> Estimate:
        """The estimate of a request."""
        plain = await _unescaped(ask.body)
        text, media_tokens = parts_of(plain)
        if plain is not ask.body:
            text = parts_of(ask.body).text  # its bytes as they are sent: those are compared
        asked = asked_of(ask.body, plain)
        kept_tokens = self._kept.get(asked.goes_on or "", 0)
        length = len(text.translate(None, _BLANKS))
        size = Size(length, media_tokens, kept_tokens, asked.goes_on)
        rate = self._rate(ask)
        if rate is None or size.text_bytes > MOST_GROWN * rate.text_bytes:
            quick = await _quick_rate(ask.model, text, size)
            rate = quick if rate is None or quick.per_byte > rate.per_byte else rate
        return Estimate(
            size,
            size.tokens(rate),
            ceil(size.tokens(rate) * (1 + rate.error)),
            _output(ask, asked, _most_output(ask.model)),
            _output(ask, asked, USUAL_OUTPUT),
            asked.cache,
            asked.terms,
        )

    def learn(self, ask: Ask, size: Size, usage: Usage, message_id: str | None = None) -> None:
        """Take what a request was billed as. A response that others may go on from is remembered
        with its tokens."""
        for kept in (message_id, size.goes_on):
            if kept is not None:
                _remember(self._kept, kept, usage.total_tokens)
        counted = usage.prompt_tokens - size.media_tokens - size.kept_tokens
        if not 0 < counted <= MOST_PER_BYTE * size.text_bytes:
            return
        rate = Rate(max(LEAST_PER_BYTE, counted / size.text_bytes), size.text_bytes)
        for key in _keys(ask):
            _remember(self._known, key, rate)

    def _rate(self, ask: Ask) -> Rate | None:
        return next((self._known[key] for key in _keys(ask) if key in self._known), None)


def _remember(known: OrderedDict[_Name, _Value], name: _Name, value: _Value) -> None:
    known[name] = value
    known.move_to_end(name)
    while len(known) > _MOST_KNOWN:
        known.popitem(last=False)


def _keys(ask: Ask) -> list[_Key]:
    call = ask.call
    whose = (call.user, call.agent, call.project, call.key, ask.model)
    session = call.session_id
    return [(session, *whose), (None, *whose)] if session else [(None, *whose)]


async def _unescaped(body: bytes) -> bytes:
    if not has_escapes(body):
        return body
    if len(body) <= _QUICK_BYTES:
        return unescaped(body)
    return await asyncio.to_thread(unescaped, body)


async def _quick_rate(model: str | None, body: bytes, size: Size) -> Rate:
    if not size.text_bytes:
        return Rate(0.0)
    text = body.decode("utf-8", "replace")
    short = len(body) <= _QUICK_BYTES
    tokens = quick_tokens(text) if short else await asyncio.to_thread(quick_tokens, text)
    multiplier = default_multiplier(model or "")
    factor = 1.0 if multiplier is None else multiplier.multiplier
    return Rate(tokens * factor / size.text_bytes, error=QUICK_ERROR_P95)


def _output(ask: Ask, asked: Asked, usual: int) -> int:
    if plain_path(ask.path) == _WITHOUT_OUTPUT:
        return 0
    return asked.choices * (usual if asked.output is None else asked.output)


@lru_cache(maxsize=256)
def _most_output(model: str | None) -> int:
    known = limits(model) if model else None
    most = None if known is None else known.max_output_tokens
    return min(most or MOST_OUTPUT, MOST_OUTPUT)
