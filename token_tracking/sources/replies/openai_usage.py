"""The usage of OpenAI's form, with the variants of those who speak it too."""

from collections.abc import Mapping
from typing import Any, Final, cast

from token_tracking.errors import InvalidUsageError
from token_tracking.usage import MAX_COUNT, Usage

_DETAILS: Final = ("prompt_tokens_details", "input_tokens_details")
_PROMPT: Final = ("prompt_tokens", "input_tokens")
_OUTPUT: Final = ("completion_tokens", "output_tokens")
_CACHED: Final = ("prompt_cache_hit_tokens", "cached_tokens")
"""DeepSeek's and Moonshot's names, beside the details."""


def usage_from_openai(usage: object) -> Usage:
    """Read the `usage` of a chat completion or a response: its object (pydantic) or its dict.

    Its prompt tokens include those read from the cache and those written to it: here they are
    apart. What was written counts as a five-minute write, whatever its lifetime. Reasoning is part
    of the output: where a provider leaves it out of that (Gemini, xAI) the total tells of it, so
    the output is the larger of what is named and the total without the prompt.

    Raises:
        InvalidUsageError: it is not a usage, a count is not valid, or more was cached than sent.
    """
    dump = getattr(usage, "model_dump", None)
    raw: object = dump() if callable(dump) else usage
    if not isinstance(raw, Mapping):
        raise InvalidUsageError(
            f"usage is {type(usage).__name__}: pass the usage of a response, as an object or a"
            " dict with prompt_tokens and completion_tokens."
        )
    return _from_mapping(cast("Mapping[str, Any]", raw))


def _from_mapping(raw: Mapping[str, Any]) -> Usage:
    details = _details(raw)
    prompt, named = _count(raw, _PROMPT), _count(raw, _OUTPUT)
    total = _count(raw, ("total_tokens",), most=2 * MAX_COUNT)
    if prompt is None or (named is None and total is None):
        raise InvalidUsageError("usage names no prompt or no output.")
    cached = max(_count(details, ("cached_tokens",)) or 0, _count(raw, _CACHED) or 0)
    if cached > prompt:
        raise InvalidUsageError(f"{cached:,} tokens were cached, but only {prompt:,} sent.")
    # Written tokens may include what was read: what was sent is counted once.
    written = min(_count(details, ("cache_write_tokens",)) or 0, prompt - cached)
    usage = Usage(
        input_tokens=prompt - cached - written,
        output_tokens=max(named or 0, (total or 0) - prompt),
        cache_read_tokens=cached,
        cache_write_5m_tokens=written,
    )
    usage.check_size()
    return usage


def _details(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    for name in _DETAILS:
        value: object = raw.get(name)
        if isinstance(value, Mapping):
            return cast("Mapping[str, Any]", value)
    return {}


def _count(raw: Mapping[str, Any], names: tuple[str, ...], most: int = MAX_COUNT) -> int | None:
    """The first of these counts that is there."""
    for name in names:
        value: object = raw.get(name)
        if value is None:
            continue
        if not (type(value) is int and 0 <= value <= most):
            raise InvalidUsageError(
                f"{name} is {value!r}: it must be a whole number from 0 to {most:,}."
            )
        return value
    return None
