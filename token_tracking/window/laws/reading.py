"""A conversation, read once for all laws."""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any, Final, Generic, TypeVar, cast

from msgspec import Struct

from token_tracking.window.blocks import Block, PlainMessage
from token_tracking.window.errors import InvalidConversationError
from token_tracking.window.forms import Form
from token_tracking.window.forms.plain import GIVE, plain_message
from token_tracking.window.laws.fields import field_fault
from token_tracking.window.turns import Turns

MESSAGES_ARE_MESSAGES: Final = "messages_are_messages"

Fault = tuple[int | None, str]
"""The number of a message (None for the whole conversation), and what is wrong there."""

Subject = TypeVar("Subject")


class Law(Struct, Generic[Subject], frozen=True):
    """A law, in one sentence, and the check that finds its first fault."""

    name: str
    text: str
    check: Callable[[Subject], Fault | None]


class Exchange(Struct, frozen=True):
    """Calls of tools, and what follows until the model speaks again.

    `calls` and `results` are those that the caller runs, not the provider's own tools. `isolated`
    says that nothing follows: the calls are still open.
    """

    calls: list[Block]
    results: list[Block]
    isolated: bool


class Breakpoint(Struct, frozen=True):
    """A `cache_control` that the caller has put on a block, or on a part of a result."""

    block: Block
    ttl: str


class Reading:
    """The messages of a conversation with their blocks, turns and exchanges.

    `calls` and `results` are those of each message that the caller runs, `foreign` all calls and
    results of tools that the provider runs.
    """

    def __init__(self, form: Form, breakpoints_elsewhere: int) -> None:
        self.form = form
        self.is_anthropic = form.name == "anthropic"
        self.breakpoints_elsewhere = breakpoints_elsewhere
        self.messages: list[PlainMessage] = []
        self.blocks: list[list[Block]] = []
        self.calls: list[list[Block]] = []
        self.results: list[list[Block]] = []
        self.foreign: list[Block] = []
        self.breakpoints: list[Breakpoint] = []
        self.turns = Turns(form)

    def add(self, message: PlainMessage) -> None:
        """Take the next message in."""
        blocks = self.form.blocks(message, len(self.messages))
        self.turns.add(message, blocks)
        self.messages.append(message)
        self.blocks.append(blocks)
        self.calls.append([])
        self.results.append([])
        for block in blocks:
            self._sort(block)

    def _sort(self, block: Block) -> None:
        if block.kind in ("tool_use", "tool_result"):
            self._sort_tool(block)
        if self.is_anthropic and not isinstance(block.raw, str):
            parts = block.raw.get("content") if block.kind == "tool_result" else None
            for part in cast(Sequence[Any], parts) if isinstance(parts, list | tuple) else ():
                self._mark(block, part.get("cache_control"))
            self._mark(block, block.raw.get("cache_control"))

    def _sort_tool(self, block: Block) -> None:
        if is_own_call(block):
            self.calls[-1].append(block)
        elif is_result(block):
            self.results[-1].append(block)
        else:
            self.foreign.append(block)

    def _mark(self, block: Block, control: Any) -> None:
        if control:
            ttl = cast(dict[str, Any], control).get("ttl") if isinstance(control, dict) else None
            self.breakpoints.append(Breakpoint(block, ttl if isinstance(ttl, str) else "5m"))

    def role(self, number: int) -> str | None:
        """The role of a message; None outside of the conversation."""
        return self.messages[number]["role"] if 0 <= number < len(self.messages) else None

    def speaks(self, number: int) -> bool:
        """Whether a user says something in a message."""
        return self.form.starts_turn(self.messages[number])

    @cached_property
    def exchanges(self) -> list[Exchange]:
        """All exchanges, in order. Answers in a row are one with Anthropic, which joins them."""
        return list(self._found_exchanges())

    def _found_exchanges(self) -> Iterator[Exchange]:
        start, size = 0, len(self.messages)
        while start < size:
            zone = start
            while self.role(zone) == "assistant" and (self.is_anthropic or zone == start):
                zone += 1
            end = zone
            while end < size and self.role(end) != "assistant":
                end += 1
            calls = [block for blocks in self.calls[start:zone] for block in blocks]
            results = [block for blocks in self.results[zone:end] for block in blocks]
            yield Exchange(calls, results, isolated=zone == size)
            start = end


def read(
    messages: Sequence[object], form: Form, breakpoints_elsewhere: int = 0
) -> tuple[Reading, Fault | None]:
    """The conversation up to its first message that cannot be read, and what is wrong there."""
    reading = Reading(form, breakpoints_elsewhere)
    if not isinstance(messages, list | tuple):
        return reading, (None, f"the messages are a {type(messages).__name__}; {GIVE}, in a list")
    for number, message in enumerate(messages):
        try:
            plain = plain_message(message, number)
        except InvalidConversationError as error:
            return reading, (number, str(error))
        fault = field_fault(plain, form.name)
        if fault is not None:
            return reading, (number, f"message {number}: {fault}")
        reading.add(plain)
    return reading, None


def is_own_call(block: Block) -> bool:
    """Whether it is a call that the caller runs, and not the provider."""
    return block.kind == "tool_use" and _type(block) not in ("server_tool_use", "mcp_tool_use")


def is_result(block: Block) -> bool:
    """Whether it is a result of a call that the caller ran."""
    return block.kind == "tool_result" and _type(block) in (None, "tool_result")


def place(block: Block) -> str:
    """Where a block stands, for an error's text."""
    return f"block {block.index} of message {block.message}"


def texts(blocks: Sequence[Block]) -> list[str]:
    """What a message says in words."""
    return [block.text for block in blocks if block.kind == "text"]


def _type(block: Block) -> str | None:
    return None if isinstance(block.raw, str) else block.raw.get("type")
