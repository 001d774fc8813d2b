"""What is missed of what was taken out: distinctive strings that the model writes although they no
longer stand in its prompt."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.window_replay.contents import Contents, Key, blocks_of
from benchmarks.window_sessions import Conversation
from token_tracking.window.blocks import PlainMessage

LEAST_TOKENS = 100
"""Results smaller than that are hardly worth clearing."""


class Holders:
    """Which blocks of a conversation hold which strings, as it grows."""

    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        self._holders: dict[str, list[Any]] = {}
        self._counts: list[dict[str, int]] = []

    def keep(self, messages: int) -> None:
        """Only the first messages still stand in the conversation."""
        while len(self._counts) > messages:
            for string, count in self._counts.pop().items():
                del self._holders[string][-count:]

    def add(self, message: PlainMessage) -> None:
        """The next message."""
        counts: dict[str, int] = {}
        for block in blocks_of(message):
            for string in self._contents.strings(block):
                self._holders.setdefault(string, []).append(block)
                counts[string] = counts.get(string, 0) + 1
        self._counts.append(counts)

    def missed(self, answer: PlainMessage, sent: set[Key], others: Sequence[str]) -> list[Any]:
        """The blocks that an answer takes strings from, though neither they nor any other block
        with the string were sent; `others` are texts that stand in their places."""
        found: dict[Key, Any] = {}
        for string in self._written(answer):
            holders = self._holders.get(string)
            if not holders or any(self._contents.key(each) in sent for each in holders):
                continue
            if any(string in text for text in others):
                continue
            latest = holders[-1]
            found[self._contents.key(latest)] = latest
        return list(found.values())

    def _written(self, answer: PlainMessage) -> Iterable[str]:
        written: set[str] = set()
        for block in blocks_of(answer):
            if _type(block) in ("text", "tool_use"):
                written |= self._contents.strings(block)
        return written


@dataclass
class Recognisable:
    """How many of the results could be seen to be used again: those of `LEAST_TOKENS` and more
    that hold a distinctive string which no other block of their conversation held before."""

    results: int = 0
    telling: int = 0

    @property
    def share(self) -> float | None:
        """Of all such results; `None` where there are none."""
        return self.telling / self.results if self.results else None

    def add(self, conversation: Conversation, contents: Contents) -> None:
        """The results of one conversation."""
        seen: set[str] = set()
        for request in conversation.requests:
            for message, tokens in zip(request.add, request.add_tokens, strict=True):
                for block, count in zip(blocks_of(message), tokens, strict=True):
                    strings = contents.strings(block)
                    if _type(block) == "tool_result" and count >= LEAST_TOKENS:
                        self.results += 1
                        self.telling += not strings <= seen
                    seen |= strings


def _type(block: Any) -> str:
    return "text" if isinstance(block, str) else block["type"]
