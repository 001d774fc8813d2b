"""Sums over the front of a list that grows, in logarithmic time (P. Fenwick, "A new data structure
for cumulative frequency tables", 1994)."""

from collections.abc import Iterable


class Fenwick:
    """Numbers in a list; each may change, and the sum of the first ones is cheap to ask for."""

    def __init__(self, numbers: Iterable[int] = ()) -> None:
        self._tree = tree = [0, *numbers]
        size = len(tree)
        for index in range(1, size):
            above = index + (index & -index)
            if above < size:
                tree[above] += tree[index]

    def __len__(self) -> int:
        return len(self._tree) - 1

    def append(self, value: int) -> None:
        """One more number at the end."""
        tree = self._tree
        index = len(tree)
        step = 1
        while not index & step:
            value += tree[index - step]
            step <<= 1
        tree.append(value)

    def add(self, index: int, value: int) -> None:
        """Make the number at `index` (from 0) larger by `value`."""
        tree = self._tree
        index += 1
        size = len(tree)
        while index < size:
            tree[index] += value
            index += index & -index

    def sum(self, count: int) -> int:
        """The sum of the first `count` numbers."""
        tree = self._tree
        total = 0
        while count:
            total += tree[count]
            count &= count - 1
        return total

    def find(self, position: int) -> tuple[int, int]:
        """The number that `position` falls into, where each takes as much room as it is large, and
        how far inside: the first one at which the sum passes `position`. No number may be
        negative; one past the end where all of them together do not pass it."""
        tree = self._tree
        size = len(tree)
        index = 0
        step = 1 << (size.bit_length() - 1)
        while step:
            beyond = index + step
            if beyond < size and tree[beyond] <= position:
                index = beyond
                position -= tree[beyond]
            step >>= 1
        return index, position
