"""Those of this process who wait for one key, and the one task that asks the storage for them."""

import asyncio
from collections.abc import Callable

from token_tracking.limits.errors import (
    LimitError,
    NeverFitsError,
    RateStorageError,
    WaitTooLongError,
)
from token_tracking.limits.rate.storage import Change, Heard, RateStorage, Told, Wish, Work
from token_tracking.limits.rate.values import WHAT, Counts, Limits, RateKey


class Waiter:
    """A wish, until when (the loop's time) it may wait, and the part that it is granted in."""

    __slots__ = ("deadline", "granted", "wish")

    def __init__(self, wish: Wish, deadline: float, granted: asyncio.Future[int]) -> None:
        self.wish = wish
        self.deadline = deadline
        self.granted = granted


class Line:
    """First come, first served, also among processes where the storage is shared.

    Only one turn is on its way at a time; what comes meanwhile goes with the next. It is the task
    that asks, never the caller: whoever is cancelled leaves nothing half done.
    """

    def __init__(
        self,
        key: RateKey,
        owner: str,
        storage: RateStorage,
        *,
        limits: Callable[[], Limits],
        news: Callable[[], Heard | None],
    ) -> None:
        self._key = key
        self._owner = owner
        self._storage = storage
        self._limits = limits
        self._news = news
        self._waiting: dict[str, Waiter] = {}
        self._new: dict[str, Wish] = {}
        self._left: dict[str, Wish] = {}
        self._changes: list[Change] = []
        self._is_changed = asyncio.Event()
        self._turned: list[asyncio.Future[None]] = []
        self._task: asyncio.Task[None] | None = None
        self._ready_at = 0.0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def is_idle(self) -> bool:
        """Whether nobody waits and nothing is to be told to the storage."""
        return self._task is None and not self._waiting

    def wait(self) -> float:
        """Seconds until the first of the line may fit, as far as is known."""
        return max(0.0, self._ready_at - asyncio.get_running_loop().time())

    async def enter(self, wish: Wish, seconds: float) -> int:
        """Wait for room; the part that the wish was counted in.

        Raises WaitTooLongError after that many `seconds`, or as soon as a pause is known to be
        longer; NeverFitsError where a limit that was learnt meanwhile is smaller than the wish.
        """
        loop = asyncio.get_running_loop()
        waiter = Waiter(wish, loop.time() + seconds, loop.create_future())
        self._waiting[wish.id] = waiter
        self._new[wish.id] = wish
        await self._go_on()
        try:
            return await waiter.granted
        except asyncio.CancelledError:
            await self._leave(waiter)
            raise

    async def change(self, part: int, delta: Counts) -> None:
        """Correct what was counted; returns when the storage knows it."""
        self._changes.append(Change(part, delta))
        if self._storage.poll is None:
            await self._go_on()
            return
        turned: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._turned.append(turned)
        await self._go_on()
        await turned

    def wake(self) -> None:
        """There is news, which those who wait should not wait for."""
        self._is_changed.set()

    async def _go_on(self) -> None:
        if self._storage.poll is None:  # a turn that never suspends needs no task
            await self._turn()
            while self._left or self._changes:
                await self._turn()
        self._is_changed.set()
        if self._task is None and (self._storage.poll is not None or self._waiting):
            self._task = asyncio.create_task(self._work())

    async def _leave(self, waiter: Waiter) -> None:
        if waiter.granted.done() and not waiter.granted.cancelled():
            if not waiter.granted.exception():
                self._give_back(waiter.wish, waiter.granted.result())
        elif self._waiting.pop(waiter.wish.id, None):
            self._left[waiter.wish.id] = waiter.wish
        await self._go_on()

    def _give_back(self, wish: Wish, part: int) -> None:
        requests, inputs, outputs, tokens = wish.counts
        self._changes.append(Change(part, (-requests, -inputs, -outputs, -tokens)))

    async def _work(self) -> None:
        try:
            while self._waiting or self._left or self._changes:
                self._is_changed.clear()
                await self._turn()
                if self._waiting and not (self._left or self._changes):
                    await self._rest()
        except RateStorageError as error:
            self._dismiss(error)
        finally:
            self._task = None
            self._dismiss(RateStorageError("The task that asks for room ended before its time."))

    async def _turn(self) -> None:
        """One turn at the storage, and what it answers to whom."""
        turned, self._turned = self._turned, []
        limits = self._limits()
        self._refuse_larger(limits)
        work = Work(
            limits=limits,
            heard=self._news(),
            changes=tuple(self._changes),
            left=tuple(self._left.values()),
            wishes=self._entering(),
        )
        self._changes, self._left, self._new = [], {}, {}
        try:
            told = await self._storage.turn(self._key, self._owner, work)
        finally:
            for future in turned:
                if not future.done():
                    future.set_result(None)
        self._heed(told)

    def _entering(self) -> tuple[Wish, ...]:
        return tuple(wish for wish in self._new.values() if wish.id in self._waiting)

    def _heed(self, told: Told) -> None:
        now = asyncio.get_running_loop().time()
        self._ready_at = now + told.wait
        for identity, part in told.granted:
            waiter = self._waiting.pop(identity, None)
            if waiter is not None and not waiter.granted.done():
                waiter.granted.set_result(part)
            elif wish := self._left.pop(identity, None) or (waiter and waiter.wish):
                self._give_back(wish, part)
        asked = [waiter for name, waiter in self._waiting.items() if name not in self._new]
        if told.waiting < len(asked):  # the storage forgot, or another took its place
            self._new = {waiter.wish.id: waiter.wish for waiter in asked} | self._new
        self._refuse(asked, now + told.pause)

    def _refuse(self, asked: list[Waiter], until: float) -> None:
        """Send away those whose time is over before `until`."""
        for waiter in asked:
            if waiter.deadline <= until:
                self._send_away(waiter, WaitTooLongError(self.wait()))

    def _refuse_larger(self, limits: Limits) -> None:
        """Send away those who can never fit any more."""
        for waiter in tuple(self._waiting.values()):
            error = misfit(waiter.wish.counts, limits)
            if error is not None:
                self._send_away(waiter, error)

    def _send_away(self, waiter: Waiter, error: LimitError) -> None:
        if not waiter.granted.done():
            del self._waiting[waiter.wish.id]
            self._left[waiter.wish.id] = waiter.wish
            waiter.granted.set_exception(error)

    async def _rest(self) -> None:
        """Until something changes, or the storage may have something else to say."""
        until = min(self._ready_at, *(waiter.deadline for waiter in self._waiting.values()))
        if self._storage.poll is not None:
            until = min(until, asyncio.get_running_loop().time() + self._storage.poll)
        try:
            async with asyncio.timeout_at(until):
                await self._is_changed.wait()
        except TimeoutError:
            return

    def _dismiss(self, error: RateStorageError) -> None:
        waiting, self._waiting, self._new = self._waiting, {}, {}
        for waiter in waiting.values():
            if not waiter.granted.done():
                waiter.granted.set_exception(error)


def misfit(counts: Counts, limits: Limits) -> NeverFitsError | None:
    """What is wrong with a request that alone is larger than a limit."""
    for what, asked, limit in zip(WHAT, counts, limits, strict=True):
        if limit is not None and asked > limit:
            return NeverFitsError(limit, asked, what)
    return None
