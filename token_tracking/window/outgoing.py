"""The messages as they are sent: the caller's with the edits, kept from request to request."""

from bisect import bisect_right, insort
from collections.abc import Iterable

from token_tracking.window.building import SentMessage, has_breakpoint, sent_in_place
from token_tracking.window.conversation import Conversation
from token_tracking.window.edits import Edits


class Outgoing:
    """What is sent of a conversation. `sync` costs what is new or changed, not what is old."""

    def __init__(self, conversation: Conversation, edits: Edits) -> None:
        self.sent: list[SentMessage] = []
        self._conversation = conversation
        self._edits = edits
        self._first: list[int] = [0]
        self._tokens: list[int] = [0]
        self._blocks: list[int] = [0]
        self.unchanged = 0
        """Messages at the front that were sent before and have stayed as they were."""
        self._before = 0
        self.marked: list[int] = []
        """Sent messages that carry breakpoints of the caller."""

    @property
    def tokens(self) -> int:
        """Of all messages."""
        return self._tokens[-1]

    @property
    def blocks(self) -> int:
        """Of all messages."""
        return self._blocks[-1]

    def was_sent(self) -> None:
        """The next request begins: `unchanged` counts from here."""
        self.unchanged = self._before = len(self.sent)

    @property
    def has_only_grown(self) -> bool:
        """Whether all that was sent last stands at the front as it was; at first, whether all is as
        the caller has it."""
        if self._before:
            return self.unchanged == self._before
        return not self._edits.dropped and not self._edits.changed

    def sync(self) -> None:
        """Bring it up to date."""
        messages = self._conversation.messages
        first = min(self._edits.dirty, len(self._first) - 1, len(messages))
        unchanged = self._first[first]
        self.unchanged = min(self.unchanged, unchanged)
        del self.sent[unchanged:]
        self.marked = [each for each in self.marked if each < unchanged]
        del self._first[first + 1 :]
        del self._tokens[unchanged + 1 :]
        del self._blocks[unchanged + 1 :]
        for number in range(first, len(messages)):
            for each in sent_in_place(self._conversation, self._edits, number):
                if has_breakpoint(each.message):
                    self.marked.append(len(self.sent))
                self.sent.append(each)
                self._tokens.append(self._tokens[-1] + each.tokens)
                self._blocks.append(self._blocks[-1] + each.blocks)
            self._first.append(len(self.sent))
        self._edits.dirty = len(messages)

    def remark(self, messages: Iterable[int]) -> None:
        """The caller has moved breakpoints: these messages say what they said, cached elsewhere."""
        for number in messages:
            if number + 1 >= len(self._first):
                continue
            self._edits.remark(self._conversation.blocks_of(number))
            start = self._first[number]
            fresh = sent_in_place(self._conversation, self._edits, number)
            for place, each in enumerate(fresh, start):
                self.sent[place] = each
                if place in self.marked:
                    self.marked.remove(place)
                if has_breakpoint(each.message):
                    insort(self.marked, place)

    def tokens_before(self, message: int) -> int:
        """The tokens of what is sent before a message of the caller's."""
        return self._tokens[self._first[message]]

    def blocks_before(self, message: int) -> int:
        """The blocks of what is sent before a message of the caller's."""
        return self._blocks[self._first[message]]

    def tokens_of(self, message: int) -> int:
        """The tokens that are sent of a message of the caller's."""
        return self._tokens[self._first[message + 1]] - self._tokens[self._first[message]]

    def first_block_of(self, sent: int) -> int:
        """The number of the first block of a sent message."""
        return self._blocks[sent]

    def sent_before(self, message: int) -> int:
        """How many messages are sent before a message of the caller's."""
        return self._first[message]

    def tokens_before_block(self, blocks: int) -> int:
        """The tokens of the first blocks, where those end inside a message in proportion."""
        place = bisect_right(self._blocks, blocks) - 1
        tokens = self._tokens[place]
        inside = blocks - self._blocks[place]
        if not inside:
            return tokens
        share = inside / (self._blocks[place + 1] - self._blocks[place])
        return tokens + round(share * (self._tokens[place + 1] - tokens))
