"""What providers bill for a prompt, from responses in either form."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from msgspec import Struct

from token_tracking.window.prompt_cache import CacheUse

_OTHER_PROMPTS: Final = frozenset({"advisor_message"})
"""Iterations that ask another model something else: neither this conversation's prompt nor its
model's price."""

_MOST: Final = 100_000_000
"""Prompt tokens; no model takes as many in one request."""


class Billed(Struct, frozen=True):
    """What a response says of its request: the prompt tokens that later prompts start from, the
    tokens that the answer adds to those, and all prompt tokens that were billed for it."""

    prompt: CacheUse
    output: int
    total: CacheUse


def billed_usage(response: object) -> Billed | None:
    """The usage of a response (an SDK's object, a dict, or its `usage` itself), in Anthropic's or
    OpenAI's form; `None` where it has none that later prompts can start from, or counts that no
    provider bills: negative or broken ones, an empty prompt, more than 100 million tokens.

    Anthropic lists `iterations` where one request sampled more than once (tools of its own,
    compaction). The top-level counts leave compaction out and add up the others, so that neither
    is the size of a prompt. `prompt` is then that of the first iteration behind the last
    compaction: until there the prompt was what was sent, or its summary. `output` is what the
    prompt of the last one, with its answer, has more. `total` adds all of them up, compaction
    included. A response that ends with compaction tells no size: `None`.
    """
    usage = _field(response, "usage")
    usage = response if usage is None else usage
    found = _read(usage)
    is_sound = found is not None and all(map(_is_sound, (found.prompt, found.total)))
    return found if found is not None and is_sound and found.output >= 0 else None


def _is_sound(prompt: CacheUse) -> bool:
    return min(prompt) >= 0 and 0 < prompt.prompt_tokens <= _MOST


def _read(usage: object) -> Billed | None:
    if _field(usage, "prompt_tokens") is not None:
        return _openai(usage)
    if _field(usage, "input_tokens") is None:
        return None
    listed = _field(usage, "iterations")
    if not isinstance(listed, list) or not listed:
        prompt = _anthropic(usage)
        return Billed(prompt, _count(usage, "output_tokens"), prompt)
    return _iterated(cast("list[object]", listed))


def _iterated(listed: Sequence[object]) -> Billed | None:
    own = [each for each in listed if _field(each, "type") not in _OTHER_PROMPTS]
    after = len(own)
    while after > 0 and _field(own[after - 1], "type") != "compaction":
        after -= 1
    sampled = own[after:]
    if not sampled:
        return None
    first, last = _anthropic(sampled[0]), _anthropic(sampled[-1])
    output = _count(sampled[-1], "output_tokens")
    if output < 0 or not all(_is_sound(_anthropic(each)) for each in own):
        return None
    end = last.prompt_tokens + output
    total = CacheUse(*map(sum, zip(*map(_anthropic, own), strict=True)))
    return Billed(first, max(0, end - first.prompt_tokens), total)


def _anthropic(usage: object) -> CacheUse:
    written = _count(usage, "cache_creation_input_tokens")
    creation = _field(usage, "cache_creation")
    hour = _count(creation, "ephemeral_1h_input_tokens") if creation is not None else 0
    return CacheUse(
        _count(usage, "cache_read_input_tokens"),
        written - hour,
        hour,
        _count(usage, "input_tokens"),
    )


def _openai(usage: object) -> Billed:
    details = _field(usage, "prompt_tokens_details")
    read = 0 if details is None else _count(details, "cached_tokens")
    prompt = CacheUse(read, 0, 0, _count(usage, "prompt_tokens") - read)
    written, hidden = _count(usage, "completion_tokens"), _reasoning(usage)
    if written >= hidden >= 0:  # some providers bill it beside the answer
        written -= hidden
    return Billed(prompt, written, prompt)


def _reasoning(usage: object) -> int:
    """Tokens of an answer that no later prompt has."""
    details = _field(usage, "completion_tokens_details")
    return 0 if details is None else _count(details, "reasoning_tokens")


def _count(holder: object, name: str) -> int:
    """A count; 0 where there is none, and -1 for what is no count."""
    value = _field(holder, name)
    if value is None:
        return 0
    return value if type(value) is int else -1


def _field(holder: object, name: str) -> Any:
    if isinstance(holder, Mapping):
        return cast("Mapping[str, Any]", holder).get(name)
    return getattr(holder, name, None)
