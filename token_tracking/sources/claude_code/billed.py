"""The usage of a line: the common form by typed decoding, any other form field by field."""

from typing import Annotated, Any, Final, NamedTuple, cast

import msgspec
from msgspec import Meta, Raw, Struct, ValidationError

from token_tracking.errors import InvalidUsageError
from token_tracking.extra_usage import extra_json
from token_tracking.sources.claude_code.lines import decode_any, lenient
from token_tracking.usage import MAX_COUNT, Usage, split_cache_writes

_NOTHING: Final = Raw(b"null")
_NO_ITERATIONS: Final = len(b"null")

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
        _extra(seen.iterations) if len(bytes(seen.iterations)) > _NO_ITERATIONS else None,
    )


def _extra(iterations: Raw) -> str | None:
    return extra_json({"iterations": decode_any(iterations)})


def _writes(seen: _Billed) -> tuple[int, int]:
    total, split = seen.cache_creation_input_tokens or 0, seen.cache_creation
    if split is None:
        return total, 0
    return split_cache_writes(
        total, split.ephemeral_5m_input_tokens or 0, split.ephemeral_1h_input_tokens or 0
    )


def _read_odd_usage(raw: Raw) -> Billed | None:
    given: Any = decode_any(raw)
    try:
        usage = Usage.from_anthropic(given)
    except InvalidUsageError:
        return None
    fields = cast("dict[str, Any]", given) if isinstance(given, dict) else {}
    terms = lenient(_Terms, fields)
    return Billed(
        usage, terms.service_tier, terms.speed, terms.inference_geo or None, extra_json(fields)
    )
