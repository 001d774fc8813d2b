"""What a window keeps of its conversation from request to request."""

from bisect import bisect_right
from collections.abc import Sequence, Set
from typing import Any, Final

from token_tracking.window.blocks import PlainMessage
from token_tracking.window.building import MESSAGE_TOKENS
from token_tracking.window.conversation import Conversation
from token_tracking.window.edits import Edits
from token_tracking.window.errors import InvalidConversationError
from token_tracking.window.forms import Form
from token_tracking.window.laws import BrokenLaw, validate
from token_tracking.window.off_loop import off_loop
from token_tracking.window.outgoing import Outgoing
from token_tracking.window.placeholders import FETCH_NAME
from token_tracking.window.seen import is_long
from token_tracking.window.sizes import Sizer
from token_tracking.window.uses import Uses

_AT_ONCE: Final = 64
"""Messages by which a conversation grows without leaving the event loop: a few milliseconds."""

LONG: Final = 50_000
"""Characters that are read without leaving it."""

_MANY: Final = 500
"""Messages that are written anew, or checked, without leaving it."""

OPEN_CALLS: Final = "calls_have_results"


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
        self._checked = 0
        self._alone: list[int] = [0]
        self.has_open_calls = False
        """Whether calls were found without results, which a policy may answer yet."""
        self._sent: list[PlainMessage] | None = None
        self._handed = 0
        self._is_cut = False
        self._answer_tokens: int | None = None

    async def take_in(self, messages: Sequence[object]) -> None:
        """Bring it up to date.

        Raises:
            InvalidConversationError: what is new breaks a law; nothing has been taken in then.
        """
        if self._is_soon_read(messages):
            self._read(messages)
        else:
            await off_loop(self._read, messages)
        await self.sync()

    async def sync(self) -> None:
        """Bring what is sent up to date with the conversation and the edits."""
        if len(self.conversation.messages) - self.edits.dirty < _MANY:
            self.outgoing.sync()
        else:
            await off_loop(self.outgoing.sync)

    def alone(self, messages: int | None = None) -> int:
        """The tokens of the first messages as the caller has them; of all by default."""
        return self._alone[-1 if messages is None else messages]

    def was_sent(self, messages: list[PlainMessage]) -> None:
        """Note what was handed back."""
        self.known = len(self.conversation.messages)
        for marked, sent in zip(messages, self.outgoing.sent, strict=True):
            if marked is not sent.message:
                self.conversation.note_marked(marked, sent.message)
        self.outgoing.was_sent()
        self._sent = messages
        self._handed = self.known
        self._answer_tokens = None

    def was_answered(self, tokens: int) -> None:
        """Note how many tokens the answer was billed for: they are those of the next message."""
        self._answer_tokens = tokens

    def _is_soon_read(self, messages: Sequence[object]) -> bool:
        """Whether what is new is little; where the front has changed that is not known."""
        known = min(self._handed, len(self.conversation.messages))
        return (
            0 <= len(messages) - known <= _AT_ONCE
            and self.conversation.ends_as_before(messages)
            and not is_long(messages[known:], LONG)
        )

    def _read(self, messages: Sequence[object]) -> None:
        if len(self.conversation.messages) > self._handed:
            self._take_back()
        change = self.conversation.update(messages, self._sent)
        self.known = min(self.known, change.kept)
        if change.removed:
            self._handed, self._sent = min(self._handed, change.kept), None
            self._forget_from(change.kept)
        self._checked = min(self._checked, change.kept)
        self._check(self._checked)
        if not self.has_open_calls:
            self._checked = len(self.conversation.messages)
        if self._is_cut:
            self._bring_back(change.kept)
        self.outgoing.remark(self.conversation.remarked)
        self.conversation.remarked.clear()
        if change.added and change.kept - 1 in self.edits.results:
            self.edits.touch(change.kept - 1)
        blocks = self.conversation.blocks[self._sized :]
        self._sizer.size(blocks)
        if self._answer_tokens is not None and change.added:
            self._fit_answer(change.kept, self._answer_tokens)
        self._sized = len(self.conversation.blocks)
        for number in range(len(self._alone) - 1, len(self.conversation.messages)):
            self._alone.append(self._alone[-1] + self._alone_tokens(number))

    def _take_back(self) -> None:
        """What was taken in for a request that was never made is read again: the caller may go on
        from what was handed back before."""
        self.conversation.cut(self._handed)
        self._forget_from(self._handed)

    def _bring_back(self, cut: int) -> None:
        """The conversation was cut and goes on elsewhere: its last round is as the caller has it,
        and of a turn that goes on, or in which the user spoke last, nothing is left out."""
        conversation, dropped = self.conversation, self.edits.dropped
        last = first = conversation.rounds(-1)[-1].start
        goes_on = [] if cut in conversation.turns else [cut - 1]
        for message in (*goes_on, conversation.last_said):
            if message in dropped:
                turn = bisect_right(conversation.turns, message) - 1
                first = min(first, conversation.turns[turn])
        self.edits.bring_back(first, last)
        self.known = min(self.known, first)
        self._is_cut = False

    def _check(self, kept: int) -> None:
        conversation = self.conversation
        if not conversation.messages:
            raise InvalidConversationError("There are no messages: give at least the user's.")
        repeated = conversation.repeated_call(kept)
        if repeated is not None:
            raise InvalidConversationError(
                f"Message {repeated.message}: the id {repeated.tool_id} is that of an earlier call;"
                " give each call an id of its own."
            )
        first = conversation.round_before(kept)
        found = broken_law(conversation.form, conversation.messages, first)
        self.has_open_calls = found is not None and found.law == OPEN_CALLS
        if self.has_open_calls:
            found = broken_law(conversation.form, conversation.messages, first, {OPEN_CALLS})
        if found is not None:
            raise InvalidConversationError(found.text)

    async def check_sent(self) -> None:
        """See that calls without results were answered by a policy, and that what is sent breaks
        no law where it is not what was sent before and more.

        Raises:
            InvalidConversationError: it does.
        """
        if self.outgoing.has_only_grown and not self.has_open_calls:
            return
        sent = [each.message for each in self.outgoing.sent]
        if len(sent) < _MANY:
            found = broken_law(self.conversation.form, sent, 0)
        else:
            found = await off_loop(broken_law, self.conversation.form, sent, 0)
        if found is not None and self.has_open_calls:
            raise InvalidConversationError(found.text)
        if found is not None:
            raise InvalidConversationError(
                f"What would be sent is not valid: {found.text} Your messages are: a policy has"
                " left out too much of them. Go on with them in a new ContextWindow."
            )
        self._checked = len(self.conversation.messages)

    def _forget_from(self, message: int) -> None:
        self._is_cut = True
        self.edits.forget_from(message)
        self.uses = Uses()  # policies look at all blocks anew
        self.memories.clear()
        self._sized = min(self._sized, self.conversation.first[message])
        del self._alone[message + 1 :]
        self._answer_tokens = None

    @property
    def is_fetching(self) -> bool:
        """Whether the request only goes on with what was cleared and fetched again."""
        return self._is_fetch(len(self.conversation.messages) - 1)

    def _alone_tokens(self, number: int) -> int:
        if self._is_fetch(number):
            return 0
        blocks = self.conversation.blocks_of(number)
        return MESSAGE_TOKENS + sum(block.tokens for block in blocks)

    def _is_fetch(self, number: int) -> bool:
        """Whether a message would not be there, had nothing been cleared."""
        blocks = self.conversation.blocks_of(number)
        return bool(blocks) and all(block.tool == FETCH_NAME for block in blocks)

    def _fit_answer(self, message: int, billed: int) -> None:
        """The last answer has as many tokens as were billed for it, shared by its blocks' sizes;
        but not the thinking that was billed with it and did not come back."""
        if self.conversation.messages[message]["role"] != "assistant":
            return
        blocks = self.conversation.blocks_of(message)
        counted = sum(block.tokens for block in blocks)
        is_thinking_gone = all(block.kind != "thinking" for block in blocks)
        if is_thinking_gone and billed > max(3 * counted, counted + 500):
            return
        left = billed
        for block in blocks[:-1]:
            block.tokens = billed * block.tokens // counted if counted else 0
            left -= block.tokens
        if blocks:
            blocks[-1].tokens = left


def broken_law(
    form: Form, messages: Sequence[PlainMessage], first: int, without: Set[str] = frozenset()
) -> BrokenLaw | None:
    """The law that messages from `first` on break, which begin with a turn or an answer. Its text
    names the message by its number in the whole conversation."""
    part = list(messages[first:])
    shift = first
    if first and part and part[0]["role"] == "assistant":
        part.insert(0, form.user_text("what was asked"))
        shift -= 1
    found = validate(part, form=form, without=frozenset(without))
    if found is None or found.message is None:
        return found
    number = found.message + shift
    text = found.text.replace(f"message {found.message}", f"message {number}")
    return BrokenLaw(found.law, number, f"Message {number} breaks the law {found.law}: {text}.")
