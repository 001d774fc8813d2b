"""A conversation in Anthropic's form beside the same in a library's own form, part by part."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Generic, Protocol, TypeVar, cast

Message = dict[str, Any]
Part = TypeVar("Part")


@dataclass(frozen=True)
class Piece:
    """What came back of one part: the number of its message (None: a new one), and its content."""

    number: int | None
    content: str | list[Any]


@dataclass
class History(Generic[Part]):
    """The messages so far, and their parts: a library may hold a message as several of its own.

    `convert` takes a message's number, the place of its first part among all parts, and itself.
    """

    convert: Callable[[int, int, Message], list[Part]]
    messages: list[Message] = field(default_factory=list[Message])
    parts: list[Part] = field(default_factory=list[Part])
    _first: list[int] = field(default_factory=list[int])

    def advance(self, keep: int, added: Sequence[Message]) -> None:
        """Go back to the first `keep` messages, then take in what was added."""
        if keep < len(self.messages):
            del self.parts[self._first[keep] :], self.messages[keep:], self._first[keep:]
        for message in added:
            self._first.append(len(self.parts))
            self.parts += self.convert(len(self.messages), len(self.parts), message)
            self.messages.append(message)

    def rejoined(self, pieces: Sequence[Piece]) -> list[Message]:
        """Messages in Anthropic's form; one that is as it was is only a reference to it."""
        answer: list[Message] = []
        for number, group in groupby(pieces, key=lambda piece: piece.number):
            if number is None:
                answer += [{"role": "user", "content": piece.content} for piece in group]
                continue
            message = self.messages[number]
            content = _joined([piece.content for piece in group])
            same = content == message["content"]
            answer.append({"ref": number} if same else {**message, "content": content})
        return answer


@dataclass(frozen=True)
class Edited:
    """What a library made of a history: see the package for the fields."""

    messages: list[Message]
    milliseconds: float
    extra: dict[str, int] | None = None
    note: str | None = None


class Peer(Protocol):
    """One way to shorten a conversation, for one session."""

    settings: str

    def prepare(self, keep: int, added: Sequence[Message], usage: dict[str, int] | None) -> Edited:
        """The messages that this peer would send for the next request."""
        ...


def runs(content: Sequence[Any]) -> list[list[Any]]:
    """Blocks of a user's message: each tool result alone, what stands between them together."""
    found: list[list[Any]] = []
    for is_result, group in groupby(content, key=is_tool_result):
        blocks = list(group)
        found += [[block] for block in blocks] if is_result else [blocks]
    return found or [[]]


def kind_of(block: Any) -> str | None:
    """The type of a block; None for what is no block."""
    return cast("Message", block).get("type") if isinstance(block, dict) else None


def is_tool_result(block: Any) -> bool:
    """Whether it is the result of a tool that the client ran."""
    return kind_of(block) == "tool_result"


def _joined(contents: list[str | list[Any]]) -> str | list[Any]:
    if len(contents) == 1:
        return contents[0]
    blocks: list[Any] = []
    for content in contents:
        blocks += [{"type": "text", "text": content}] if isinstance(content, str) else content
    return blocks
