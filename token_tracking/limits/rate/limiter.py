"""Rate limits of many keys: room is reserved before a request, and settled after it."""

import os
import time
from collections.abc import Callable, Mapping
from itertools import count
from typing import Final

from token_tracking.limits.errors import WaitTooLongError
from token_tracking.limits.rate.learning import LearnedLimits, News, read_response
from token_tracking.limits.rate.line import Line, misfit
from token_tracking.limits.rate.storage import RateStorage, Wish
from token_tracking.limits.rate.values import (
    NO_LIMITS,
    Amount,
    Counts,
    Learned,
    Limits,
    RateKey,
    RateLimit,
)

MAX_WAITING: Final = 1_000
"""How many requests may wait for one key in one process; more are refused at once."""

MAX_LINES: Final = 1_000
"""From how many lines on those in which nobody waits are forgotten."""


class Reservation:
    """Room for one request. Settle it, or refund it; the first of the two counts.

    One that is neither settled nor refunded holds its room until the window is over. `waited` is
    how long it took to get, in seconds; `part` which hundredth of a window it is counted in, by
    the storage's clock.
    """

    __slots__ = ("_amount", "_line", "part", "waited")

    def __init__(self, line: Line | None, part: int, amount: Amount, waited: float) -> None:
        self._line = line
        self.part = part
        self._amount = amount
        self.waited = waited

    async def settle(self, actual: Amount) -> None:
        """Book what the request took: less is given back, more is counted from now on.

        It always succeeds. More may pass the limit; then later requests wait for it.
        """
        line, self._line = self._line, None
        if line is not None:
            delta = _minus(actual.counts(), self._amount.counts())
            if any(delta):
                await line.change(self.part, delta)

    async def refund(self) -> None:
        """Give everything back: the request was not sent, or does not count."""
        await self.settle(Amount(requests=0))


class RateLimiter:
    """Keeps requests within the limits of their keys. For one event loop.

    `limit_for` gives a key's limit; `None` is a key that is not limited at all, while a
    `RateLimit()` has no limits but those that responses tell (`learn`). With a storage in Redis
    several processes share their counts and wait in one line.
    """

    def __init__(
        self,
        limit_for: Callable[[RateKey], RateLimit | None],
        storage: RateStorage,
        *,
        max_waiting: int = MAX_WAITING,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._limit_for = limit_for
        self._storage = storage
        self._max_waiting = max_waiting
        self._clock = clock
        self._learned = LearnedLimits(clock)
        self._news = News(clock)
        self._lines: dict[RateKey, Line] = {}
        self._owner = f"{os.getpid():x}-{os.urandom(6).hex()}"
        self._numbers = count()

    def limits(self, key: RateKey) -> Limits:
        """What holds now for a key, configured or learnt, whichever is lower."""
        limit = self._limit_for(key)
        return NO_LIMITS if limit is None else self._learned.lower(key, limit.limits())

    def waiting(self) -> int:
        """How many requests wait in this process."""
        return sum(map(len, self._lines.values()))

    async def reserve(
        self,
        key: RateKey,
        amount: Amount,
        *,
        timeout: float,  # noqa: ASYNC109  (what is refused says when there is room)
    ) -> Reservation:
        """Wait for room, first come first served, at most `timeout` seconds; 0 does not wait.

        A cancelled wait leaves nothing behind.

        Raises:
            NeverFitsError: the request alone is larger than a limit, perhaps one that was learnt
                while it waited.
            WaitTooLongError: there was no room in time, or too many wait already.
            RateStorageError: the storage failed, and has nothing to fall back to.
        """
        if self._limit_for(key) is None:
            return Reservation(None, 0, amount, 0.0)
        counts = amount.counts()
        error = misfit(counts, self.limits(key))
        if error is not None:
            raise error
        line = self._line(key)
        if len(line) >= self._max_waiting:
            raise WaitTooLongError(max(line.wait(), 1.0))
        started = time.monotonic()
        wish = Wish(f"{self._owner}-{next(self._numbers)}", counts)
        part = await line.enter(wish, timeout)
        return Reservation(line, part, amount, time.monotonic() - started)

    def learn(
        self, key: RateKey, status: int, headers: Mapping[str, str], body: bytes = b""
    ) -> Learned:
        """Take in what a response says about limits; `body` matters where it is an error's.

        A lower limit than ours holds from now on, a higher count than ours is counted, and after a
        429 nothing is sent until the provider said. What is absurd changes nothing. Never raises.
        """
        response = read_response(status, headers, body, now=self._clock())
        if self._limit_for(key) is not None:
            self._learned.add(key, response.limits)
            heard = response.heard(self._storage.window)
            if heard is not None:
                self._news.add(key, heard)
            if key in self._lines:
                self._lines[key].wake()
        return response.learned

    async def aclose(self) -> None:
        """Close the storage's connections."""
        await self._storage.aclose()

    def _line(self, key: RateKey) -> Line:
        line = self._lines.get(key)
        if line is None:
            if len(self._lines) >= MAX_LINES:
                self._lines = {k: line for k, line in self._lines.items() if not line.is_idle}
            line = Line(
                key,
                self._owner,
                self._storage,
                limits=lambda: self.limits(key),
                news=lambda: self._news.pop(key),
            )
            self._lines[key] = line
        return line


def _minus(counts: Counts, others: Counts) -> Counts:
    requests, inputs, outputs, tokens = (a - b for a, b in zip(counts, others, strict=True))
    return (requests, inputs, outputs, tokens)
