"""A request as the model reads it: parts in the order tools, system, messages."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.upstream.counting import block_tokens, compact, tool_tokens, unmarked
from tests.upstream.values import Json, blocks, objects

UNCACHEABLE = ("thinking", "redacted_thinking")
"""Blocks that carry no breakpoint of their own."""


@dataclass(frozen=True)
class Part:
    """One block of the prompt.

    `content` is what a cached prefix depends on, `tokens` its size, `ttl` the lifetime (`5m` or
    `1h`) where it is a breakpoint.
    """

    content: str
    tokens: int
    ttl: str | None = None


def _ttl(block: Json) -> str | None:
    control: Json | None = block.get("cache_control")
    return control.get("ttl") or "5m" if control else None


def _content(place: Any, block: Json) -> str:
    # A block's own keys may come in any order; what is nested in it may not.
    return compact([place, sorted(unmarked(block).items())])


def _written(request: Json) -> Iterator[tuple[Json, Part]]:
    for tool in objects(request.get("tools")):
        yield tool, Part(_content("tools", tool), tool_tokens(tool), _ttl(tool))
    for block in blocks(request.get("system")):
        yield block, Part(_content("system", block), block_tokens(block), _ttl(block))
    # These two reach the messages' part of the cache only (the API's page on prompt caching).
    settings = [request.get("tool_choice"), request.get("thinking")]
    for message in objects(request.get("messages")):
        for block in blocks(message["content"]):
            content = _content([message["role"], settings], block)
            yield block, Part(content, block_tokens(block), _ttl(block))


def parts_of(request: Json) -> list[Part]:
    """The parts of a request; the request's own `cache_control` marks the last that can be."""
    written = list(_written(request))
    parts = [part for _, part in written]
    whole = _ttl(request)
    places = [n for n, (block, _) in enumerate(written) if block.get("type") not in UNCACHEABLE]
    if whole and places and parts[places[-1]].ttl is None:
        last = parts[places[-1]]
        parts[places[-1]] = Part(last.content, last.tokens, whole)
    return parts


def prompt_tokens(request: Json) -> int:
    """The tokens of the whole prompt."""
    return sum(part.tokens for _, part in _written(request))
