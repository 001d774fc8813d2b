"""Attribution of the sessions that changed, kept in the ledger."""

import os
from collections.abc import Callable, Sequence
from functools import cache
from typing import Final

from token_tracking.attributing.settler import (
    MESSAGES_AT_ONCE,
    VERSION,
    Settled,
    Settler,
    fitting,
)
from token_tracking.attributing.sharing import settle_with_another
from token_tracking.efficiency import EfficiencyEngine, ScaleOf, scales
from token_tracking.store import Due, TokenStore

_SESSIONS_AT_ONCE: Final = 256

PARALLEL_MESSAGES: Final = 10_000
"""Of fewer, a second process is not done with its imports before the first one is done."""

Progress = Callable[[int, int], None]
"""Told how many of the due sessions are settled, and how many there were."""


class Attributor:
    """Settles what is due. Any number of processes may do so at once: what one has settled, the
    other does not count again.

    `engine` tells how tokens relate to bytes: by default as the ledger learned it.
    """

    def __init__(self, store: TokenStore, engine: EfficiencyEngine | None = None) -> None:
        self._store = store
        self._engine = engine

    async def settle(
        self,
        limit: int | None = None,
        progress: Progress | None = None,
        *,
        from_end: bool = False,
    ) -> Settled:
        """Attribute the sessions that are due (at most `limit`), each once. `from_end` takes the
        newest first. Of much, a second process settles a half.

        Raises:
            StoreError: the ledger cannot be written. What was settled before stays so.
        """
        if not await self._store.has_due(VERSION):
            return Settled()
        run = _Run(self._store, await self.scale_of(), limit, progress, from_end)
        if limit is None and not from_end and await self._is_much():
            await run.shared()
        await run.all()
        return run.settled

    async def recompute(self, progress: Progress | None = None) -> Settled:
        """Attribute every session anew.

        Raises:
            StoreError: the ledger cannot be written.
        """
        await self._store.mark_all_due()
        return await self.settle(progress=progress)

    async def scale_of(self) -> ScaleOf:
        """How the tokens of each model relate to bytes."""
        learned = await self._store.multipliers()
        engine = self._engine
        scale_of = scales(learned) if engine is None else engine.calibrated(learned).scale
        return cache(scale_of)  # each answer asks, and to read a model's name takes long

    async def _is_much(self) -> bool:
        """Whether a second process pays, and would settle as this one does."""
        if self._engine is not None or (os.cpu_count() or 1) < 2:
            return False
        return await self._store.count_due_messages() >= PARALLEL_MESSAGES


class _Run:
    """One settling of what is due."""

    def __init__(
        self,
        store: TokenStore,
        scale_of: ScaleOf,
        limit: int | None,
        progress: Progress | None,
        from_end: bool,
    ) -> None:
        self.settled = Settled()
        self._store = store
        self._settler = Settler(store, scale_of)
        self._limit = limit
        self._progress = progress
        self._from_end = from_end
        self._seen: set[str] = set()
        self._total = 0

    async def shared(self) -> None:
        """Settle it together with a second process; what that one left undone is still due."""
        self._total = await self._store.count_due(VERSION)
        due = await self._store.due_sessions(VERSION, self._total)
        await settle_with_another(self._store, self._settler, due, self._count)

    async def all(self) -> None:
        """Settle what is due, each session once."""
        if self._progress is not None:
            due = await self._store.count_due(VERSION)
            self._total = max(self._total, self.settled.sessions + due)
        while due := await self._next():
            sizes = await self._store.session_sizes([each.session_id for each in due])
            taken = fitting(due, sizes, MESSAGES_AT_ONCE)
            await self._settler.attribute(taken)
            self._seen |= {each.session_id for each in taken}
            self._count(await self._settler.save())

    async def _next(self) -> Sequence[Due]:
        """Sessions that are due and were not settled by this run: one that is written to all the
        time is left to the next one who asks."""
        most = _SESSIONS_AT_ONCE
        if self._limit is not None:
            most = min(most, self._limit - self.settled.sessions)
        again: set[str] = set()
        while most > 0:
            due = await self._store.due_sessions(
                VERSION, most + len(again), from_end=self._from_end
            )
            found = {each.session_id for each in due} & self._seen
            if found == again or len(found) < len(due):
                return [each for each in due if each.session_id not in found]
            again = found
        return []

    def _count(self, settled: Settled) -> None:
        self.settled.add(settled)
        if self._progress is not None and settled.sessions:
            done = self.settled.sessions
            self._progress(done, max(self._total, done))
