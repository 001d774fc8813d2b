"""What a window keeps of its conversation from request to request."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from token_tracking.window.blocks import Block, PlainMessage
from token_tracking.window.building import MESSAGE_TOKENS
from token_tracking.window.conversation import Conversation
from token_tracking.window.edits import Edits
from token_tracking.window.errors import InvalidConversationError
from token_tracking.window.forms import Form
from token_tracking.window.laws import validate
from token_tracking.window.outgoing import Outgoing
from token_tracking.window.sizes import Sizer
from token_tracking.window.uses import Uses

_AT_ONCE: Final = 64
"""Messages by which a conversation grows without leaving the event loop: a few milliseconds."""


class History:
    """The caller's conversation, counted, beside what is sent of it.

    `known` are the messages at its front that were sent before; `alone(n)` are the tokens of the
    first n as the caller has them.
    """

    def __init__(self, form: Form, sizer: Sizer) -> None:
        self.conversation = Conversation(form)
        self.edits = Edits()
        self.outgoing = Outgoing(self.conversation, self.edits)
        self.uses = Uses()
        self.memories: dict[int, Any] = {}
        self.known = 0
        self._sizer = sizer
        self._sized = 0
        self._alone: list[int] = [0]
        self._sent: list[PlainMessage] | None = None
        self._answer_tokens: int | None = None

    async def take_in(self, messages: Sequence[object]) -> None:
        """Bring it up to date.

        Raises:
            InvalidConversationError: what is new breaks a law; nothing has been taken in then.
        """
        grown = len(messages) - len(self.conversation.messages)
        if 0 <= grown <= _AT_ONCE:
            self._read(messages)
        else:
            await asyncio.to_thread(self._read, messages)

    def alone(self, messages: int | None = None) -> int:
        """The tokens of the first messages as the caller has them; of all by default."""
        return self._alone[-1 if messages is None else messages]

    def was_sent(self, messages: list[PlainMessage]) -> None:
        """Note what was handed back."""
        self.known = len(self.conversation.messages)
        self._sent = messages
        self._answer_tokens = None

    def was_answered(self, tokens: int) -> None:
        """Note how many tokens the answer was billed for: they are those of the next message."""
        self._answer_tokens = tokens

    def _read(self, messages: Sequence[object]) -> None:
        change = self.conversation.update(messages, self._sent)
        if change.removed:
            self._forget_from(change.kept)
        self.known = min(self.known, change.kept)
        if change.added and change.kept - 1 in self.edits.results:
            self.edits.touch(change.kept - 1)
        blocks = self.conversation.blocks[self._sized :]
        self._sizer.size(blocks)
        if self._answer_tokens is not None and change.added:
            self._fit_answer(change.kept, self._answer_tokens)
        self._sized = len(self.conversation.blocks)
        for number in range(len(self._alone) - 1, len(self.conversation.messages)):
            tokens = sum(block.tokens for block in self.conversation.blocks_of(number))
            self._alone.append(self._alone[-1] + tokens + MESSAGE_TOKENS)

    def _forget_from(self, message: int) -> None:
        self.edits.forget_from(message)
        self.uses = Uses()  # policies look at all blocks anew
        self.memories.clear()
        self._sized = min(self._sized, self.conversation.first[message])
        del self._alone[message + 1 :]
        self._answer_tokens = None

    def _fit_answer(self, message: int, billed: int) -> None:
        """The last answer has as many tokens as were billed for it, shared by its blocks' sizes."""
        if self.conversation.messages[message]["role"] != "assistant":
            return
        blocks = self.conversation.blocks_of(message)
        counted = sum(block.tokens for block in blocks)
        left = billed
        for block in blocks[:-1]:
            block.tokens = billed * block.tokens // counted if counted else 0
            left -= block.tokens
        if blocks:
            blocks[-1].tokens = left


def check(form: Form, messages: Sequence[PlainMessage], first: int) -> None:
    """See that messages from `first` on are what the API takes.

    Raises:
        InvalidConversationError: they are not; its text names the law and the message.
    """
    broken = validate(messages[first:], form=form)
    if broken is not None:
        number = "" if broken.message is None else f"message {first + broken.message}: "
        raise InvalidConversationError(f"{number}{broken.text} (law: {broken.law})")
