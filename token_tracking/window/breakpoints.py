"""Breakpoints: those that a caller has set, and more of them."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, cast

from token_tracking.window.blocks import PlainMessage
from token_tracking.window.forms import Form
from token_tracking.window.outgoing import Outgoing
from token_tracking.window.prompt_cache import Breakpoint

MOST: Final = 4
"""Breakpoints that Anthropic takes in one request."""


def cache_controls(value: object) -> int:
    """How many breakpoints a system prompt, tools or the content of a message have already."""
    if isinstance(value, list):
        return sum(map(_has_one, cast("list[object]", value)))
    return 0


def lifetimes(values: Iterable[object]) -> set[str]:
    """The lifetimes of the breakpoints in lists of blocks."""
    return {
        cast("dict[str, Any]", each["cache_control"]).get("ttl") or "5m"
        for value in values
        if isinstance(value, list)
        for each in cast("list[dict[str, Any]]", value)
        if _has_one(each)
    }


def with_breakpoint(value: object, ttl: str) -> object:
    """A system prompt with a breakpoint at its end; a string becomes a block."""
    control = control_of(ttl)
    if isinstance(value, str):
        return [{"type": "text", "text": value, "cache_control": control}] if value else value
    if isinstance(value, list) and value:
        blocks = cast("list[dict[str, Any]]", value)
        return [*blocks[:-1], {**blocks[-1], "cache_control": control}]
    return cast("object", value)


def control_of(ttl: str) -> dict[str, str]:
    """The value of `cache_control`."""
    return {"type": "ephemeral"} if ttl == "5m" else {"type": "ephemeral", "ttl": ttl}


class Placement:
    """The breakpoints of one request: the caller's stay, ours are added while there is room."""

    def __init__(self, form: Form, outgoing: Outgoing, ttl: str, taken: int) -> None:
        self._form = form
        self._outgoing = outgoing
        self._ttl = ttl
        self._left = MOST - taken
        self.messages: list[PlainMessage] = [each.message for each in outgoing.sent]
        self.placed: list[Breakpoint] = list(self._given())

    def at_end_of(self, message: int) -> bool:
        """Cache up to the end of a sent message, if a block of it can hold a breakpoint."""
        if self._left <= 0 or not 0 <= message < len(self.messages):
            return False
        index = _holder(self.messages[message])
        if index is None:
            return False
        blocks = 1 + self._outgoing.first_block_of(message) + index + 1
        if any(each.blocks == blocks for each in self.placed):
            return True
        self.messages[message] = self._form.with_breakpoint(
            self.messages[message], index, self._ttl
        )
        self.placed.append(Breakpoint(blocks, self._ttl))
        self._left -= 1
        return True

    def at_system(self, system: object) -> object:
        """The system prompt with a breakpoint, if there is room for one."""
        if self._left <= 0 or not system or cache_controls(system):
            return system
        self._left -= 1
        self.placed.append(Breakpoint(1, self._ttl))
        return with_breakpoint(system, self._ttl)

    def _given(self) -> Iterator[Breakpoint]:
        """The caller's own in the messages."""
        for number in self._outgoing.marked:
            content = cast("list[object]", self.messages[number]["content"])
            for index, block in enumerate(content):
                if _has_one(block):
                    (ttl,) = lifetimes([[block]])
                    yield Breakpoint(1 + self._outgoing.first_block_of(number) + index + 1, ttl)


def _has_one(block: object) -> bool:
    return isinstance(block, dict) and bool(cast("dict[str, Any]", block).get("cache_control"))


def _holder(message: PlainMessage) -> int | None:
    """The last block of a message that may hold a breakpoint: not thinking, not an empty text."""
    content = message.get("content")
    if isinstance(content, str):
        return 0 if content else None
    blocks = cast("Sequence[dict[str, Any]]", content or ())
    for index in range(len(blocks) - 1, -1, -1):
        kind = blocks[index].get("type")
        if kind in ("thinking", "redacted_thinking") or (
            kind == "text" and not blocks[index]["text"]
        ):
            continue
        return index
    return None
