"""The usage of a line: the common form by typed decoding, any other form field by field."""

from typing import Annotated, Final, NamedTuple

import msgspec
from msgspec import DecodeError, Meta, Raw, Struct, ValidationError

from token_tracking.errors import InvalidUsageError
from token_tracking.sources.claude_code.lines import decode_any, lenient
from token_tracking.usage import MAX_COUNT, ExtraUsage, Usage, split_cache_writes

_NOTHING: Final = Raw(b"null")

_Count = Annotated[int, Meta(ge=0, le=MAX_COUNT)]


class _Split(Struct, gc=False):
    ephemeral_5m_input_tokens: _Count | None = 0
    ephemeral_1h_input_tokens: _Count | None = 0


class _ServerTools(Struct, gc=False):
    web_search_requests: _Count | None = 0
    web_fetch_requests: _Count | None = 0


class _Billed(Struct, gc=False):
    input_tokens: _Count
    output_tokens: _Count
    cache_creation_input_tokens: _Count | None = 0
    cache_read_input_tokens: _Count | None = 0
    cache_creation: _Split | None = None
    server_tool_use: _ServerTools | None = None
    service_tier: str | None = None
    speed: str | None = None
    inference_geo: str | None = None
    iterations: Raw = _NOTHING


class _Terms(Struct, gc=False):
    """Under which terms a message was billed."""

    service_tier: str | None = None
    speed: str | None = None
    inference_geo: str | None = None


class Billed(NamedTuple):
    """A usage and the terms it was billed under."""

    usage: Usage
    service_tier: str | None
    speed: str | None
    inference_geo: str | None
    extra: str | None = None


_decode = msgspec.json.Decoder(_Billed).decode

_BILLED_APART: Final = frozenset({"advisor_message", "compaction"})
"""Iterations that the counts of a message do not include, though they are billed (API reference of
the usage object). `message` and `fallback_message` are included."""


class _Iteration(Struct, gc=False):
    type: str
    model: str | None = None


def read_usage(raw: Raw) -> Billed | None:
    """The usage of a message, or `None` where it has no valid one."""
    try:
        seen = _decode(raw)
    except ValidationError:
        return _read_odd_usage(raw)
    five_minutes, one_hour = _writes(seen)
    tools = seen.server_tool_use
    usage = Usage(
        input_tokens=seen.input_tokens,
        output_tokens=seen.output_tokens,
        cache_read_tokens=seen.cache_read_input_tokens or 0,
        cache_write_5m_tokens=five_minutes,
        cache_write_1h_tokens=one_hour,
        web_search_requests=0 if tools is None else tools.web_search_requests or 0,
        web_fetch_requests=0 if tools is None else tools.web_fetch_requests or 0,
    )
    return Billed(
        usage,
        seen.service_tier,
        seen.speed,
        seen.inference_geo or None,
        _extra(seen.iterations),
    )


def _extra(iterations: Raw) -> str | None:
    """What was billed beside the message's own counts, as JSON: see `usage.ExtraUsage`."""
    if len(bytes(iterations)) <= len(b"null"):
        return None
    try:
        given = msgspec.json.decode(iterations, type=list[Raw])
    except DecodeError:
        return None
    extra = [found for each in given if (found := _extra_usage(each)) is not None]
    return msgspec.json.encode(extra).decode() if extra else None


def _extra_usage(iteration: Raw) -> ExtraUsage | None:
    try:
        kind = msgspec.json.decode(iteration, type=_Iteration)
    except DecodeError:
        return None
    billed = read_usage(iteration) if kind.type in _BILLED_APART else None
    return billed and ExtraUsage(type=kind.type, model=kind.model, usage=billed.usage)


def _writes(seen: _Billed) -> tuple[int, int]:
    total, split = seen.cache_creation_input_tokens or 0, seen.cache_creation
    if split is None:
        return total, 0
    return split_cache_writes(
        total, split.ephemeral_5m_input_tokens or 0, split.ephemeral_1h_input_tokens or 0
    )


def _read_odd_usage(raw: Raw) -> Billed | None:
    given = decode_any(raw)
    try:
        usage = Usage.from_anthropic(given)
    except InvalidUsageError:
        return None
    terms = lenient(_Terms, given if isinstance(given, dict) else {})  # pyright: ignore[reportUnknownArgumentType]
    return Billed(usage, terms.service_tier, terms.speed, terms.inference_geo or None)
