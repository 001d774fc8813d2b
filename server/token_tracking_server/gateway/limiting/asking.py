"""What a request asks for that multiplies its bill."""

import json
import re
from typing import Any, Final, Literal, NamedTuple, cast

import msgspec
from msgspec import Struct

MOST_CHOICES: Final = 128
"""OpenAI takes no more (`n`)."""

_MOST_OUTPUT: Final = 10**7
_ESCAPE: Final = re.compile(rb"\\u00([2-7][0-9A-Fa-f])")
_MARK: Final = b'"cache_control"'
_HOUR: Final = re.compile(rb'"ttl"\s*:\s*"1h"')


class Terms(NamedTuple):
    """What a price depends on beside the model, as responses tell it; `None` is standard."""

    speed: str | None = None
    service_tier: str | None = None
    inference_geo: str | None = None


class Asked(NamedTuple):
    """`output` is the longest answer that was asked for, in tokens; `None` where that is not said.
    `choices` is how many answers are written. `goes_on` is the id of what the provider keeps and
    puts in front: a response, or a conversation."""

    output: int | None
    choices: int
    cache: Literal["5m", "1h"] | None
    terms: Terms
    goes_on: str | None = None


class _Fields(Struct):
    max_tokens: Any = None
    max_completion_tokens: Any = None
    max_output_tokens: Any = None
    n: Any = None
    best_of: Any = None
    prompt: msgspec.Raw = msgspec.Raw(b"")
    speed: Any = None
    service_tier: Any = None
    inference_geo: Any = None
    previous_response_id: Any = None
    conversation: Any = None


_DECODER: Final = msgspec.json.Decoder(_Fields)


def has_escapes(body: bytes) -> bool:
    """Whether plain letters of it may be written as escapes."""
    return b"\\u00" in body


def unescaped(body: bytes) -> bytes:
    """A body whose names are written without escapes, to be searched only."""
    return _ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), body)


def asked_of(body: bytes, plain: bytes) -> Asked:
    """What a body asks for; `plain` is the same without escapes. Of what is no JSON object nothing
    is known."""
    fields = _fields_of(body)
    outputs = (fields.max_tokens, fields.max_completion_tokens, fields.max_output_tokens)
    known = [count for each in outputs if (count := _count(each)) is not None]
    return Asked(
        output=max((each for each in known if each <= _MOST_OUTPUT), default=None),
        choices=_choices(fields),
        cache=_cache(plain),
        terms=Terms(
            speed="fast" if fields.speed == "fast" else None,
            # Others are cheaper than standard, and may be answered as standard.
            service_tier="priority" if fields.service_tier == "priority" else None,
            inference_geo=fields.inference_geo if type(fields.inference_geo) is str else None,
        ),
        goes_on=_kept(fields),
    )


def _kept(fields: _Fields) -> str | None:
    held: object = fields.conversation
    if isinstance(held, dict):
        held = cast("dict[str, Any]", held).get("id")
    given = fields.previous_response_id or held
    return given if isinstance(given, str) else None


def _fields_of(body: bytes) -> _Fields:
    try:
        return _DECODER.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    try:
        found: Any = json.loads(body)  # halves of surrogate pairs
    except (ValueError, RecursionError):
        return _Fields()
    given = cast("dict[str, Any]", found if isinstance(found, dict) else {})
    fields = {name: given.get(name) for name in _Fields.__struct_fields__ if name != "prompt"}
    several = given.get("prompt")
    prompt = json.dumps(several).encode() if isinstance(several, list) else b""
    return _Fields(**fields, prompt=msgspec.Raw(prompt))


def _choices(fields: _Fields) -> int:
    given = [_count(each) or 1 for each in (fields.n, fields.best_of)]
    return min(max(given), MOST_CHOICES) * _prompts(bytes(fields.prompt))


def _prompts(raw: bytes) -> int:
    """How many prompts a completion has: a list of numbers is one, by its tokens."""
    if not raw.startswith(b"["):
        return 1
    try:
        listed: list[Any] = json.loads(raw)
    except (ValueError, RecursionError):
        return 1
    return max(1, sum(isinstance(each, str | list) for each in listed))


def _cache(plain: bytes) -> Literal["5m", "1h"] | None:
    if _MARK not in plain:
        return None
    return "1h" if _HOUR.search(plain) else "5m"


def _count(value: object) -> int | None:
    """A whole number from 0, also where it is written as `64000.0`."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if type(value) is int and value >= 0 else None
