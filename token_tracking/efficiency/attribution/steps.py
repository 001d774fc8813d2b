"""A list of numbers that changes from some place on, as rates do at the edge of a range."""

from itertools import accumulate
from typing import Final

_BLOCK: Final = 512
"""Changes are added up by blocks: a number is read off in about the root of the length, by sums
that run in C. A change takes constant time, and there are many of them for each reading."""


class Steps:
    """Numbers, of which all from one on become larger at a time: `count` zeros at first."""

    def __init__(self, count: int = 0) -> None:
        self._changes = [0] * count
        self._blocks = [0] * -(-count // _BLOCK)
        self.last = 0
        """The last number, and the one that comes after it."""

    def append(self) -> None:
        """One more number, like the last."""
        if len(self._changes) % _BLOCK == 0:
            self._blocks.append(0)
        self._changes.append(0)

    def add_from(self, index: int, change: int) -> None:
        """Make the number at `index` and all behind it larger by `change`."""
        if index < len(self._changes):
            self._changes[index] += change
            self._blocks[index // _BLOCK] += change
            self.last += change

    def at(self, index: int) -> int:
        """The number at `index`."""
        block = index // _BLOCK
        return sum(self._blocks[:block]) + sum(self._changes[block * _BLOCK : index + 1])

    def all(self) -> "accumulate[int]":
        """All numbers, in order."""
        return accumulate(self._changes)
