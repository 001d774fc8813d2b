"""Which call of a transcript a server's answer is, where no id tells: the nearest in time.

The closest pair is taken first, and each answer and each call once. Pairs are found as they are
needed, outwards from the time of each answer, so that a session of many calls takes no longer for
each of them.
"""

from bisect import bisect_right
from collections.abc import Hashable, Iterable, Iterator, Sequence
from heapq import heappop, heappush
from itertools import count
from typing import Final, NamedTuple

EARLIEST_MS: Final = 1_000
"""A server records after the call was written; clocks round."""

NEAREST_MS: Final = 600_000
"""A record and a call further apart are two. The call's time is that of its message; between the
two the user may have been asked for permission, which takes minutes rather than hours."""


class _Moment(NamedTuple):
    """The calls of one time, in descending order of their keys: the first is taken from the end."""

    at: int
    keys: list[str]


_Step = tuple[int, _Moment]
"""A moment, and how far it is from an answer."""

_Candidate = tuple[tuple[int, int, int, str], int, _Moment, Iterator[_Step]]
"""Distance, time, answer and key, by which the closest comes first; then what leads further."""


class Calls:
    """Calls to choose from, by anything that an answer may look for them by."""

    def __init__(self, calls: Iterable[tuple[Hashable, int, str]]) -> None:
        """`calls` are by what to look for, their time in milliseconds since 1970 UTC, and key."""
        self._moments: dict[Hashable, list[_Moment]] = {}
        self._used: set[str] = set()
        for by, at, key in sorted(calls, key=lambda call: call[1:]):
            moments = self._moments.setdefault(by, [])
            if not moments or moments[-1].at != at:
                moments.append(_Moment(at, []))
            moments[-1].keys.insert(0, key)

    def nearest(self, answers: Sequence[tuple[int, Sequence[Hashable]]]) -> dict[int, str]:
        """The key of a call for each answer, by its index, that has one. An answer is its time,
        and what to look for; whichever of that is nearest is taken."""
        found: dict[int, str] = {}
        queue: list[_Candidate] = []
        numbers = count()
        for index, (at, wanted) in enumerate(answers):
            for by in wanted:
                self._push(queue, next(numbers), index, self._outwards(at, by))
        while queue:
            (distance, at, index, key), number, moment, rest = heappop(queue)
            if index in found:
                continue
            first = self._first(moment)
            if first == key:
                found[index] = key
                self._used.add(key)
            elif first is not None:
                heappush(queue, ((distance, at, index, first), number, moment, rest))
            else:
                self._push(queue, number, index, rest)
        return found

    def _push(
        self, queue: list[_Candidate], number: int, index: int, rest: Iterator[_Step]
    ) -> None:
        """The next moment of an answer that has a call left. `number` tells candidates apart, so
        that nothing behind it is ever compared."""
        for distance, moment in rest:
            key = self._first(moment)
            if key is not None:
                heappush(queue, ((distance, moment.at, index, key), number, moment, rest))
                return

    def _first(self, moment: _Moment) -> str | None:
        while moment.keys and moment.keys[-1] in self._used:
            moment.keys.pop()
        return moment.keys[-1] if moment.keys else None

    def _outwards(self, at: int, by: Hashable) -> Iterator[_Step]:
        """The moments that may be those of an answer, the nearest first, and how far they are."""
        moments = self._moments.get(by, [])
        right = bisect_right(moments, at, key=lambda moment: moment.at)
        left = right - 1
        while True:
            before = at - moments[left].at if left >= 0 else NEAREST_MS + 1
            after = moments[right].at - at if right < len(moments) else EARLIEST_MS + 1
            if before <= min(after, NEAREST_MS) or (before <= NEAREST_MS and after > EARLIEST_MS):
                yield before, moments[left]
                left -= 1
            elif after <= EARLIEST_MS:
                yield after, moments[right]
                right += 1
            else:
                return
