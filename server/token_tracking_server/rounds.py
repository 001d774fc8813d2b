"""Work that many wait for, done once for all of them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

_Value = TypeVar("_Value")


class Rounds(Generic[_Value]):
    """Does a piece of work, one time after the other.

    Who asks while a round is under way waits for the next one, as there may be more to do since it
    began; all who wait share that one.
    """

    def __init__(self, work: Callable[[], Awaitable[_Value]]) -> None:
        self._work = work
        self._turn = asyncio.Lock()
        self._next: asyncio.Task[_Value] | None = None
        self._begun: set[asyncio.Task[_Value]] = set()

    async def wait(self, seconds: float) -> _Value | None:
        """What the next round brings; `None` where it takes longer than `seconds`: it goes on."""
        if self._next is None:
            self._next = asyncio.create_task(self._run())
            self._begun.add(self._next)
            self._next.add_done_callback(self._begun.discard)
        task = self._next
        # A question that is cancelled must not take the round from the others.
        await asyncio.wait({task}, timeout=seconds)
        return task.result() if task.done() else None

    async def close(self) -> None:
        """End what is under way."""
        begun = list(self._begun)
        for each in begun:
            each.cancel()
        await asyncio.gather(*begun, return_exceptions=True)

    async def _run(self) -> _Value:
        async with self._turn:
            self._next = None
            return await self._work()
