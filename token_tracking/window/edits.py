"""What a window has changed in a conversation, for good: the same bytes in every later request."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from msgspec import Struct

from token_tracking.window.blocks import Block, PlainMessage

_MARK: Final = "cache_control"


class Replacement(Struct, frozen=True):
    """What stands in a block's place, and its tokens."""

    raw: Any
    tokens: int


class Text(Struct, frozen=True):
    """A text that was put into a message of the user."""

    text: str
    tokens: int


class Extra(Struct, frozen=True):
    """Results that were added behind an answer, and their tokens."""

    messages: tuple[PlainMessage, ...]
    tokens: int


class StandIn(Struct, frozen=True):
    """What turns were left out, and what stands for them behind message `message`: `summarised`
    turns by their `summary`, `left_out` ones by nothing but their number, or by `note`. All of them
    stand before message `stop`."""

    message: int
    stop: int
    summary: str | None = None
    summarised: int = 0
    left_out: int = 0
    note: str | None = None


class Edits:
    """Changes by where they are. Message numbers are those of the caller's conversation.

    `replaced` is by (message, block), `dropped` are messages that are left out, `before` and
    `after` are texts in messages of the user, `results` are answers to calls that the caller did
    not answer, by the message of the calls. `stand_in` is what stands for turns that are left out,
    `unthought` are answers that go without their thinking.
    `changed` are messages that are not sent as they are, `dirty` is the first that is to be sent
    anew.
    """

    def __init__(self) -> None:
        self.replaced: dict[tuple[int, int], Replacement] = {}
        self.dropped: set[int] = set()
        self.before: dict[int, Text] = {}
        self.after: dict[int, Text] = {}
        self.results: dict[int, Extra] = {}
        self.stand_in: StandIn | None = None
        self.unthought: set[int] = set()
        self.changed: set[int] = set()
        self.dirty = 0

    def replace(self, message: int, block: int, replacement: Replacement) -> None:
        """Send something else in a block's place."""
        self.replaced[message, block] = replacement
        self.touch(message)

    def remark(self, blocks: Iterable[Block]) -> None:
        """The caller has moved breakpoints: what stands in the places of blocks has theirs."""
        for block in blocks:
            place = (block.message, block.index)
            replaced = self.replaced.get(place)
            if replaced is not None and isinstance(block.raw, Mapping):
                raw = {name: each for name, each in replaced.raw.items() if name != _MARK}
                if block.raw.get(_MARK):
                    raw[_MARK] = block.raw[_MARK]
                self.replaced[place] = Replacement(raw, replaced.tokens)

    def drop(self, messages: range) -> None:
        """Leave messages out."""
        self.dropped.update(messages)
        self.dirty = min(self.dirty, messages.start)

    def touch(self, message: int) -> None:
        """A message is no longer as it was sent."""
        self.changed.add(message)
        self.dirty = min(self.dirty, message)

    def forget_from(self, message: int) -> None:
        """The conversation was changed from a message on: what was done there is no more.

        A text that stands for what was changed is no longer true: what it stands for comes back.
        """
        self.dirty = min(self.dirty, message)
        if self.stand_in is not None and self.stand_in.stop > message:
            self._bring_back(self.stand_in)
        for table in (self.before, self.after, self.results):
            for number in [each for each in table if each >= message]:
                del table[number]
        for place in [each for each in self.replaced if each[0] >= message]:
            del self.replaced[place]
        self.unthought = {each for each in self.unthought if each < message}
        self.dropped = {each for each in self.dropped if each < message}
        self.changed = {each for each in self.changed if each < message}

    def bring_back(self, dropped: int, replaced: int) -> None:
        """Send again what was left out from a message on, and what was replaced from one on."""
        if self.stand_in is not None and self.stand_in.stop > dropped:
            self._bring_back(self.stand_in)
        gone = [each for each in self.dropped if each >= dropped]
        places = [each for each in self.replaced if each[0] >= replaced]
        self.dropped.difference_update(gone)
        for place in places:
            del self.replaced[place]
        self.dirty = min([self.dirty, *gone, *(message for message, _ in places)])

    def _bring_back(self, standing: StandIn) -> None:
        self.dirty = min(self.dirty, standing.message, *self.dropped)
        self.after.pop(standing.message, None)
        self.dropped.clear()
        self.stand_in = None
