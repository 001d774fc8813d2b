"""What a request would have used with the whole library in its prompt from the start."""

from typing import Final

from msgspec.structs import replace

from token_tracking.efficiency.context import JitContext
from token_tracking.efficiency.scale import Scale
from token_tracking.usage import Usage

_INPUT: Final = "input_tokens"
_READ: Final = "cache_read_tokens"
_5M: Final = "cache_write_5m_tokens"
_1H: Final = "cache_write_1h_tokens"


def billed_context(counted: JitContext, scale: Scale, prompt_tokens: int) -> JitContext:
    """A context of counted tokens as the model bills them.

    A prompt cannot hold more than it has: where what is thought to stand in it is larger, some of
    it had left unseen, and counts for what there is.
    """
    all_loaded = scale.tokens(counted.loaded_tokens)
    all_overhead = scale.tokens(counted.overhead_tokens)
    loaded = min(all_loaded, prompt_tokens)
    overhead = min(all_overhead, prompt_tokens - loaded)
    # What stood there before has its place first: more that is new takes none of it away.
    new = scale.tokens(counted.new_tokens)
    before = max(0, all_loaded + all_overhead - new)
    return JitContext(
        library_tokens=scale.tokens(counted.library_tokens),
        loaded_tokens=loaded,
        overhead_tokens=overhead,
        new_tokens=max(0, min(new, loaded + overhead - before)),
    )


def without_jit(usage: Usage, context: JitContext) -> Usage:
    """The usage of the same request with the library upfront, and nothing loaded.

    The library stands at the front of the prompt, and is billed as that was: written anew, read,
    or plain. What had just been loaded stands at its end, and goes from what was written last;
    what stood there before goes from what was read.
    """
    counts = {name: getattr(usage, name) for name in (_INPUT, _READ, _5M, _1H)}
    removed = context.loaded_tokens + context.overhead_tokens
    new = min(context.new_tokens, removed)
    _take(counts, new, (_5M, _1H, _INPUT, _READ))
    _take(counts, removed - new, (_READ, _1H, _5M, _INPUT))
    # Last: what is taken away was in the prompt, and the library was not.
    counts[prefix_kind(usage)] += context.library_tokens
    return replace(usage, **counts)


def prefix_kind(usage: Usage) -> str:
    """How the front of a prompt was billed: the field of the usage that counts it.

    A request that read anything read its front; one that only wrote wrote it anew, with the longer
    lifetime first, as the API orders them.
    """
    if usage.cache_read_tokens:
        return _READ
    if usage.cache_write_1h_tokens:
        return _1H
    return _5M if usage.cache_write_5m_tokens else _INPUT


def with_prompt(usage: Usage, prompt_tokens: int) -> Usage:
    """The usage with a prompt of this size: more or fewer tokens at its front."""
    more = prompt_tokens - usage.prompt_tokens
    prefix = prefix_kind(usage)
    counts = {name: getattr(usage, name) for name in (_INPUT, _READ, _5M, _1H)}
    counts[prefix] += max(0, more)
    _take(counts, max(0, -more), (prefix, _1H, _5M, _INPUT))
    return replace(usage, **counts)


def uncached(usage: Usage) -> Usage:
    """The usage with its whole prompt as plain input."""
    return replace(
        usage,
        input_tokens=usage.prompt_tokens,
        cache_read_tokens=0,
        cache_write_5m_tokens=0,
        cache_write_1h_tokens=0,
    )


def _take(counts: dict[str, int], tokens: int, order: tuple[str, ...]) -> None:
    """Take tokens away, from the first kind that has any on."""
    for name in order:
        taken = min(tokens, counts[name])
        counts[name] -= taken
        tokens -= taken
