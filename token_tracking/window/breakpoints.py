"""Breakpoints: those that a caller has set, and more of them."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, cast

from token_tracking.window.blocks import PlainMessage
from token_tracking.window.building import lifetimes
from token_tracking.window.forms import Form
from token_tracking.window.outgoing import Outgoing
from token_tracking.window.prompt_cache import Breakpoint

MOST: Final = 4
"""Breakpoints that Anthropic takes in one request."""


def breakpoints_before(system: object, tools: object) -> list[Breakpoint]:
    """The caller's own in the system prompt and the tools, which together are the first block:
    behind it (1) or within it (0)."""
    blocks = [*_listed(tools), *_listed(system)]
    ends_here = isinstance(system, list | tuple) or not system
    last = len(blocks) - 1
    return [
        Breakpoint(int(ends_here and place == last), ttl)
        for place, block in enumerate(blocks)
        for ttl in lifetimes(block)
    ]


def with_breakpoint(value: object, ttl: str) -> object:
    """A system prompt with a breakpoint at its end; a string becomes a block."""
    control = control_of(ttl)
    if isinstance(value, str):
        return [{"type": "text", "text": value, "cache_control": control}] if value else value
    if isinstance(value, list | tuple) and value:
        blocks = cast("Sequence[dict[str, Any]]", value)
        return [*blocks[:-1], {**blocks[-1], "cache_control": control}]
    return cast("object", value)


def control_of(ttl: str) -> dict[str, str]:
    """The value of `cache_control`."""
    return {"type": "ephemeral"} if ttl == "5m" else {"type": "ephemeral", "ttl": ttl}


class Placement:
    """The breakpoints of one request: the caller's stay, ours are added while there is room."""

    def __init__(
        self, form: Form, outgoing: Outgoing, ttl: str, before: Sequence[Breakpoint]
    ) -> None:
        self._form = form
        self._outgoing = outgoing
        self._ttl = ttl
        self.messages: list[PlainMessage] = [each.message for each in outgoing.sent]
        self._given = [*before, *self._in_messages()]
        self._left = MOST - len(self._given)
        self.placed: list[Breakpoint] = [each for each in self._given if each.blocks]

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
        ttl = self._ttl_at(blocks)
        self.messages[message] = self._form.with_breakpoint(self.messages[message], index, ttl)
        self.placed.append(Breakpoint(blocks, ttl))
        self._left -= 1
        return True

    def at_system(self, system: Any) -> Any:
        """The system prompt with a breakpoint, if there is room for one."""
        if self._left <= 0 or not system or _is_marked(system):
            return system
        self._left -= 1
        ttl = self._ttl_at(1)
        self.placed.append(Breakpoint(1, ttl))
        return with_breakpoint(system, ttl)

    def _ttl_at(self, blocks: int) -> str:
        """Ours, or what the caller's leave: the API wants longer lifetimes first."""
        if any(each.blocks > blocks and each.ttl == "1h" for each in self._given):
            return "1h"
        if any(each.blocks <= blocks and each.ttl == "5m" for each in self._given):
            return "5m"
        return self._ttl

    def _in_messages(self) -> Iterator[Breakpoint]:
        """The caller's own in the messages."""
        for number in self._outgoing.marked:
            content = cast("list[object]", self.messages[number]["content"])
            for index, block in enumerate(content):
                for ttl in lifetimes(block):
                    yield Breakpoint(1 + self._outgoing.first_block_of(number) + index + 1, ttl)


def _is_marked(system: object) -> bool:
    return any(map(lifetimes, _listed(system)))


def _listed(value: object) -> Sequence[object]:
    """The blocks of a system prompt, or the tools; none of a string."""
    return cast("Sequence[object]", value) if isinstance(value, list | tuple) else ()


def _holder(message: PlainMessage) -> int | None:
    """The last block of a message that may hold a breakpoint: not thinking, not an empty text."""
    content = message.get("content")
    if isinstance(content, str):
        return 0 if content.strip() else None
    blocks = cast("Sequence[dict[str, Any]]", content or ())
    for index in range(len(blocks) - 1, -1, -1):
        kind = blocks[index].get("type")
        is_blank = kind == "text" and not str(blocks[index].get("text", "")).strip()
        if kind not in ("thinking", "redacted_thinking") and not is_blank:
            return index
    return None
