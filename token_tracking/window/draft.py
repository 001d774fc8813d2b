"""The next request while policies shape it: what they may see, and what they may do."""

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, TypeVar

from token_tracking.window.blocks import Block
from token_tracking.window.budget import Budget, Room
from token_tracking.window.calls import call_subject
from token_tracking.window.economics import Economics
from token_tracking.window.edits import Replacement, Text
from token_tracking.window.history import History
from token_tracking.window.outgoing import Outgoing
from token_tracking.window.prepared import Action
from token_tracking.window.prompt_cache import AutomaticCache, PromptCache
from token_tracking.window.sizes import Sizer
from token_tracking.window.surroundings import Surroundings

_Memory = TypeVar("_Memory")


class Draft:
    """One request in the making. Message numbers are those of the caller's conversation.

    What a policy does stays done in all later requests: it is told by the same bytes.
    """

    def __init__(
        self,
        *,
        history: History,
        surroundings: Surroundings,
        budget: Budget,
        room: Room,
        cache: PromptCache | AutomaticCache,
        at_ms: int,
        sizer: Sizer,
        model: str,
    ) -> None:
        self.conversation = history.conversation
        self.edits = history.edits
        self.uses = history.uses
        self.known = history.known
        """Messages from this one on are sent for the first time."""
        self.surroundings = surroundings
        self.budget = budget
        self.room = room
        self.at_ms = at_ms
        self.sizer = sizer
        self.model = model
        self.economics: Economics
        self.actions: list[Action] = []
        self.params: dict[str, Any] = {}
        self.frontier: int | None = None
        """The first message that a later edit may change: the cache is kept up to before it."""
        self.leaving: int | None = None
        """The message whose documents leave with the next turn."""
        self.reserved = 0
        """Tokens of the budget that are kept free for documents."""
        self._outgoing = history.outgoing
        self._cache = cache
        self._memories = history.memories

    def memory(self, policy: object, make: Callable[[], _Memory]) -> _Memory:
        """What a policy keeps of this conversation from request to request. It is made anew when
        the conversation is changed behind its back."""
        found = self._memories.get(id(policy))
        if found is None:
            found = self._memories[id(policy)] = make()
        return found

    @property
    def outgoing(self) -> Outgoing:
        """What would be sent now."""
        self._outgoing.sync()
        self.surroundings.still_sent = self._outgoing.tokens_before(self.known)
        return self._outgoing

    @property
    def tokens(self) -> int:
        """The prompt tokens of the request as it would be sent now."""
        messages = self.outgoing.tokens
        return self.surroundings.tokens + messages

    @property
    def excess(self) -> int:
        """By how many tokens the prompt is larger than its budget; negative where there is room."""
        return self.tokens + self.reserved - self.room.context

    @property
    def last_turn(self) -> int:
        """The first message of the last turn, which is never left out."""
        turns = self.conversation.turns
        return turns[-1] if turns else 0

    @property
    def history_tokens(self) -> int:
        """Of the turns before the last, as they would be sent."""
        return self.outgoing.tokens_before(self.last_turn)

    @property
    def unchanged_messages(self) -> int:
        """How many of the messages that were sent last stand at the front as they were."""
        return self._outgoing.unchanged

    @property
    def unchanged_blocks(self) -> int:
        """How many blocks of the prompt that was sent last stand at its front as they were; the
        system prompt and the tools are one."""
        if self.surroundings.has_changed:
            return 0
        return 1 + self._outgoing.first_block_of(self.unchanged_messages)

    @property
    def leading_tokens(self) -> int:
        """Of system messages at the front, in OpenAI's form."""
        messages = self.conversation.messages
        count = 0
        while count < len(messages) and messages[count]["role"] in ("system", "developer"):
            count += 1
        return self.outgoing.tokens_before(count)

    def sent_tokens(self, block: Block) -> int:
        """The tokens of a block as it is sent."""
        replaced = self.edits.replaced.get((block.message, block.index))
        return block.tokens if replaced is None else replaced.tokens

    def tokens_of(self, messages: range) -> int:
        """What is sent of some messages, in tokens."""
        outgoing = self.outgoing
        return outgoing.tokens_before(messages.stop) - outgoing.tokens_before(messages.start)

    def is_sent(self, message: int) -> bool:
        """Whether a message is not left out."""
        return message not in self.edits.dropped

    def readable(self, message: int) -> int:
        """The tokens that a request reads from the cache which is unchanged before `message`."""
        if self.surroundings.has_changed:
            return 0
        outgoing = self.outgoing
        blocks = 1 + outgoing.blocks_before(min(message, self.known))
        return self._cache.readable(blocks, self.tokens_before_block, self.at_ms)

    def tokens_before_block(self, blocks: int) -> int:
        """The tokens of the first blocks of the prompt, of which the system prompt and the tools
        are one."""
        if blocks <= 0:
            return 0
        return self.surroundings.tokens_with(self._outgoing.tokens_before_block(blocks - 1))

    @property
    def last_question(self) -> str:
        """What the user said last."""
        for message in range(len(self.conversation.messages) - 1, -1, -1):
            if self.conversation.messages[message]["role"] == "user":
                blocks = self.conversation.blocks_of(message)
                texts = [block.text for block in blocks if block.kind == "text"]
                if texts:
                    return "\n".join(texts)
        return ""

    def subject(self, block: Block) -> str | None:
        """What a call is about, of the call or of its result: on one short line."""
        if block.kind == "tool_use":
            return call_subject(block)
        for message in range(block.message, -1, -1):
            for other in self.conversation.blocks_of(message):
                if other.kind == "tool_use" and other.tool_id == block.tool_id:
                    return call_subject(other)
        return None

    def replace(self, block: Block, raw: object, tokens: int) -> None:
        """Send something else in a block's place."""
        self.edits.replace(block.message, block.index, Replacement(raw, tokens))

    def is_replaced(self, block: Block) -> bool:
        """Whether something else is sent in a block's place."""
        return (block.message, block.index) in self.edits.replaced

    def drop(self, messages: range) -> None:
        """Leave out messages: whole turns or rounds, never the last turn's opening."""
        self.edits.drop(messages)

    def put_after(self, message: int, text: str) -> None:
        """Put a text behind a user's message, in place of one that was put there before."""
        self.edits.after[message] = Text(text, self.sizer.text_now(text))
        self.edits.touch(message)

    def forget_thinking(self) -> None:
        """Leave out the thinking that was written behind what has been edited now, that of the
        newest answer too."""
        messages = len(self.conversation.messages)
        removed = 0
        for block in self.blocks_of(range(self._first_edited(), messages)):
            if block.kind == "thinking" and block.message not in self.edits.unthought:
                self.edits.unthought.add(block.message)
                self.edits.touch(block.message)
                removed += block.tokens
        if removed:
            why = f"{self.model} takes no thinking behind an edit"
            self.note("window", "left out the thinking behind the edits", why, removed)

    def _first_edited(self) -> int:
        """The first message that is not as it was when what stands behind it was written: of those
        that were sent before, as they were sent; of the others, as the caller has them."""
        outgoing = self.outgoing
        if self.surroundings.has_changed:
            return 0
        has_changed = self.known > 0 and not outgoing.has_only_grown
        if has_changed and outgoing.unchanged < len(outgoing.sent):
            return outgoing.sent[outgoing.unchanged].source
        edits = self.edits
        edited = chain(edits.changed, edits.dropped)
        new = (number for number in edited if number >= self.known)
        return min(new, default=len(self.conversation.messages))

    def note(self, policy: str, what: str, why: str, tokens: int = 0, *, done: bool = True) -> None:
        """Tell what was done, or why it was not."""
        self.actions.append(Action(policy=policy, what=what, why=why, tokens=tokens, is_done=done))

    def blocks_of(self, messages: range) -> Sequence[Block]:
        """The blocks of the caller's messages."""
        first = self.conversation.first
        return self.conversation.blocks[first[messages.start] : first[messages.stop]]
