"""How many requests a conversation is still expected to make."""

from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate
from typing import Final, Protocol

_FEWEST: Final = 8
"""Conversations that went on, below which their mean says too little."""

FIRST: Final = 10.0
GROWTH: Final = 0.25
"""Without a history: 10 requests, and a quarter of those that were made. Conversations that have
lasted go on for longer; of the lines that were tried on the replays the most careful one."""


class Remaining(Protocol):
    """What knows how long conversations last."""

    def expected(self, made: int) -> float:
        """The requests that are expected after `made` ones."""
        ...


class UsualRemaining:
    """For who has no history."""

    def expected(self, made: int) -> float:
        """As `Remaining.expected`."""
        return FIRST + GROWTH * made


class LearnedRemaining:
    """From how many requests earlier conversations made: the mean of what those that lasted as
    long still made. Where fewer than eight did, the last such mean is carried on in proportion.

    `TokenMetrics.conversation_lengths` has the lengths of the ledger.
    """

    def __init__(self, lengths: Iterable[int]) -> None:
        self._lengths = sorted(length for length in lengths if length > 0)
        self._sums = [0, *accumulate(self._lengths)]

    def expected(self, made: int) -> float:
        """As `Remaining.expected`."""
        lengths = self._lengths
        if len(lengths) < _FEWEST:
            return UsualRemaining().expected(made)
        reached = min(made, lengths[-_FEWEST] - 1)
        longer = bisect_right(lengths, reached)
        count = len(lengths) - longer
        mean = (self._sums[-1] - self._sums[longer]) / count - reached
        return mean if reached == made else mean * max(1.0, made / max(1, reached))
