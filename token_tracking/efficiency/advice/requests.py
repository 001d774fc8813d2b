"""The own requests of a session in an order in which those that carried an item follow each
other."""

from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from typing import Final, NamedTuple

from token_tracking.efficiency.attribution import Conversation, Message, prompt_pico
from token_tracking.efficiency.attribution.branches import Branches
from token_tracking.shares import quarter_of

_TURN: Final = "user"
_FINE: Final = 1_000
"""Weights are pico-USD for so many tokens: small enough to tell any two rates apart."""


class Span(NamedTuple):
    """Requests of one quarter of an hour: when the first was, how many they are, and what they
    paid a token, added up."""

    quarter: int
    at: int
    requests: int
    weight: int

    def with_more(self, other: "Span") -> "Span":
        """With other requests of its quarter."""
        requests, weight = self.requests + other.requests, self.weight + other.weight
        return Span(self.quarter, min(self.at, other.at), requests, weight)


class Requests:
    """The own requests, each conversation from its root on, branch by branch."""

    def __init__(self, conversation: Conversation) -> None:
        self._own: list[Message] = []
        self._turns: list[int] = []
        self._walk(conversation)
        self._index = {message.key: index for index, message in enumerate(self._own)}
        self._sums = [0, *accumulate(map(_weight, self._own))]
        quarters = [quarter_of(message.at) for message in self._own]
        self._starts = [
            index
            for index, quarter in enumerate(quarters)
            if not index or quarters[index - 1] != quarter
        ]

    def index(self, key: str | None) -> int | None:
        """Where a request stands; `None` for what is none."""
        return None if key is None else self._index.get(key)

    def turn_after(self, index: int) -> int:
        """The next request that begins a turn; their number where none does."""
        at = bisect_right(self._turns, index)
        return self._turns[at] if at < len(self._turns) else len(self._own)

    def spans(self, start: int, end: int) -> Iterator[Span]:
        """The requests from `start` up to `end`, in runs of one quarter each."""
        end = min(end, len(self._own))
        run = bisect_right(self._starts, start)
        while start < end:
            stop = min(end, self._starts[run]) if run < len(self._starts) else end
            at = self._own[start].at
            weight = self._sums[stop] - self._sums[start]
            yield Span(quarter_of(at), at, stop - start, weight)
            start, run = stop, run + 1

    def _walk(self, conversation: Conversation) -> None:
        branches = Branches(conversation.messages)
        asked = {entry.after for entry in conversation.entries if entry.kind == _TURN}
        is_turn = False
        stack = [root for roots in branches.roots.values() for root in reversed(roots)]
        while stack:
            message = stack.pop()
            is_turn = is_turn or branches.parents[message.key] in asked
            if message.is_own and message.usage.prompt_tokens:
                if is_turn:
                    self._turns.append(len(self._own))
                    is_turn = False
                self._own.append(message)
            stack += reversed(branches.after(message.key))


def _weight(message: Message) -> int:
    if message.rates is None:
        return 0
    return prompt_pico(message.usage, message.rates) * _FINE // message.usage.prompt_tokens
