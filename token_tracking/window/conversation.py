"""A conversation as its window knows it: an index by blocks that grows with it."""

from collections.abc import Sequence
from hashlib import blake2b
from json import dumps
from typing import Any, Final, cast

from msgspec import Struct, json

from token_tracking.window.blocks import Block, PlainMessage
from token_tracking.window.errors import InvalidConversationError
from token_tracking.window.forms import Form
from token_tracking.window.forms.plain import GIVE, plain_message
from token_tracking.window.seen import seen
from token_tracking.window.turns import Turns, rounds

_MARK: Final = "cache_control"

_MOST_MARKED: Final = 1024
"""Messages that are known by our breakpoints: those of the last few hundred requests."""


class Change(Struct, frozen=True):
    """What an update found, in messages: unchanged at the front, gone behind those, and new."""

    kept: int
    removed: int
    added: int


class Conversation:
    """Messages, their blocks, turns and rounds. Taking in the n-th request costs what is new.

    `messages` are copies that share the caller's strings, so a change to a message behind our
    back is seen at the next update; memory grows with the conversation. None of the lists is to
    be changed from outside.
    """

    def __init__(self, form: Form) -> None:
        self.form = form
        self.messages: list[PlainMessage] = []
        self.blocks: list[Block] = []
        self.first: list[int] = [0]
        """The number of each message's first block, and that of the block after the last."""
        self._turns = Turns(form)
        self._seen: list[object] = []
        self._names: dict[str, str | None] = {}
        self.remarked: set[int] = set()
        """Messages whose breakpoints the caller has moved, until that is noted."""
        self._repeated: list[Block] = []
        self._marked: dict[bytes, PlainMessage] = {}

    @property
    def turns(self) -> list[int]:
        """The numbers of the messages at which turns start; the first message starts one."""
        return self._turns.starts

    def turn(self, turn: int) -> range:
        """The messages of a turn, by its number; -1 is the last."""
        return self._turns.span(turn)

    def rounds(self, turn: int) -> list[range]:
        """The messages of a turn, in ranges: its opening (what the user and the system say), then
        each answer of the model with the results that follow it."""
        return rounds(self.messages, self.turn(turn))

    @property
    def last_said(self) -> int:
        """The last message in which the user says something in words; the first where none is."""
        for number in range(len(self.messages) - 1, 0, -1):
            blocks = self.blocks_of(number)
            has_words = any(block.kind == "text" and block.text for block in blocks)
            if has_words and self.form.starts_turn(self.messages[number]):
                return number
        return 0

    def blocks_of(self, message: int) -> list[Block]:
        """The blocks of a message."""
        return self.blocks[self.first[message] : self.first[message + 1]]

    def round_before(self, message: int) -> int:
        """The start of the round that ends before a message, or of the turn that it opens: what
        is read from there on makes sense alone."""
        start = min(message, len(self.messages) - 1)
        while start > 0 and self.messages[start]["role"] != "assistant":
            start -= 1
        while start > 0 and self.messages[start - 1]["role"] == "assistant":
            start -= 1
        return start

    def note_marked(self, marked: PlainMessage, message: PlainMessage) -> None:
        """A message was handed back with breakpoints of ours: where it comes in again it stands for
        `message`, which has none of them."""
        if len(self._marked) >= _MOST_MARKED:
            del self._marked[next(iter(self._marked))]
        self._marked[_key(marked)] = message

    def ends_as_before(self, messages: Sequence[object]) -> bool:
        """Whether the last message known here stands at its place among messages: a cheap sign
        that those in front of it have not changed."""
        known = len(self._seen)
        return not known or (len(messages) >= known and self._seen[-1] == messages[known - 1])

    def repeated_call(self, first: int) -> Block | None:
        """A call from a message on whose id an earlier call has, which Anthropic refuses."""
        return next((each for each in self._repeated if each.message >= first), None)

    def update(
        self, messages: Sequence[object], also: Sequence[PlainMessage] | None = None
    ) -> Change:
        """Take the conversation as it now is; what has not changed at its front is not read again.

        `also` are the messages that were handed back last, for callers who go on from those: a
        message that equals the one at its place there (or a front that equals them all, where
        some were left out) counts as unchanged, and the original stays.

        Raises InvalidConversationError for what is no message; then nothing has changed here.
        """
        check_is_list(messages)
        kept = behind = self._unchanged(messages, also)
        if kept < len(self.messages) and also and _starts_with(messages, also):
            kept, behind = len(self.messages), len(also)
        new = messages[behind:]
        plain = [self._plain(message, behind + at) for at, message in enumerate(new)]
        removed = len(self.messages) - kept
        if removed:
            self.cut(kept)
        for message, copy in zip(new, plain, strict=True):
            self._add(copy, seen(message, copy))
        return Change(kept, removed, len(plain))

    def _unchanged(self, messages: Sequence[object], also: Sequence[PlainMessage] | None) -> int:
        """How many messages at the front are as they were; the hot loop of a long conversation."""
        edited = also if also and len(also) == len(self.messages) else None
        kept = 0
        for known, message in zip(self._seen, messages, strict=False):
            if known != message and not self._stays(kept, message, edited):
                break
            kept += 1
        return kept

    def _stays(self, number: int, message: object, edited: Sequence[PlainMessage] | None) -> bool:
        if edited is not None and edited[number] == message:
            return True
        copy = self._plain(message, number)
        if copy != self.messages[number]:
            return self._only_moved_breakpoints(number, message, copy)
        self._seen[number] = seen(message, self.messages[number])  # other objects that say the same
        return True

    def _plain(self, message: object, number: int) -> PlainMessage:
        """A plain copy of a message, without breakpoints of ours."""
        copy = plain_message(message, number)
        content = copy.get("content")
        is_marked = isinstance(content, list) and any(
            _MARK in block for block in cast("list[dict[str, Any]]", content)
        )
        return self._marked.get(_key(copy), copy) if is_marked and self._marked else copy

    def _only_moved_breakpoints(self, number: int, given: object, copy: PlainMessage) -> bool:
        """Whether a message says what it said, and is only cached elsewhere: many callers move
        their breakpoint to the last message each time. If so it is taken over."""
        if _unmarked(copy) != _unmarked(self.messages[number]):
            return False
        self.messages[number] = copy
        self._seen[number] = seen(given, copy)
        fresh = self.form.blocks(copy, number)
        for block, new in zip(self.blocks_of(number), fresh, strict=True):
            block.raw = new.raw
        self.remarked.add(number)
        return True

    def _add(self, message: PlainMessage, mark: object) -> None:
        blocks = self.form.blocks(message, len(self.messages))
        for block in blocks:
            if block.kind == "tool_use" and block.tool_id is not None:
                if block.tool_id in self._names and self.form.name == "anthropic":
                    self._repeated.append(block)
                self._names[block.tool_id] = block.tool
            elif block.kind == "tool_result" and block.tool is None:
                block.tool = self._names.get(block.tool_id or "")
        self._turns.add(message, blocks)
        self.messages.append(message)
        self._seen.append(mark)
        self.blocks.extend(blocks)
        self.first.append(len(self.blocks))

    def cut(self, messages: int) -> None:
        """Forget what stands behind the first messages."""
        for block in self.blocks[self.first[messages] :]:
            if block.kind == "tool_use":
                self._names.pop(block.tool_id or "", None)
        self._repeated = [each for each in self._repeated if each.message < messages]
        del self.blocks[self.first[messages] :]
        del self.first[messages + 1 :]
        del self.messages[messages:]
        del self._seen[messages:]
        self._turns.cut(messages)


def check_is_list(messages: object) -> None:
    """Raise InvalidConversationError where messages are something else."""
    if isinstance(messages, str | bytes) or not isinstance(messages, Sequence):
        raise InvalidConversationError(f"messages are no list; {GIVE} for each, in a list")


def _key(message: PlainMessage) -> bytes:
    try:
        encoded = json.encode(message, order="deterministic")
    except UnicodeEncodeError:
        # Halves of surrogate pairs, as of an emoji that was cut: as escapes they are text.
        encoded = dumps(message, sort_keys=True, default=repr).encode()
    return blake2b(encoded, digest_size=16).digest()


def _unmarked(message: PlainMessage) -> PlainMessage:
    """A message without breakpoints, a string as the block that it stands for."""
    content = message.get("content")
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    if not isinstance(content, list):
        return message
    blocks = [
        {name: value for name, value in cast("dict[str, Any]", block).items() if name != _MARK}
        if isinstance(block, dict)
        else block
        for block in cast("list[object]", content)
    ]
    return {**message, "content": blocks}


def _starts_with(messages: Sequence[object], also: Sequence[PlainMessage]) -> bool:
    return len(messages) >= len(also) and all(
        mine == message for mine, message in zip(also, messages, strict=False)
    )
