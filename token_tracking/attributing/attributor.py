"""Attribution of the sessions that changed, kept in the ledger."""

import asyncio
import os
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Final

from msgspec import DecodeError, Struct, field
from msgspec.json import decode

from token_tracking.attributing.attributed import Source, attributed
from token_tracking.attributing.worker import SettlingProcess
from token_tracking.efficiency import EfficiencyEngine, ScaleOf, scales
from token_tracking.shares import SessionShares
from token_tracking.store import Due, TokenStore

VERSION: Final = 1
"""Of the algorithm: what an older one attributed is due. Raise it with each change of what
attribution, its facts or its findings give."""

_SESSIONS_AT_ONCE: Final = 256
_MESSAGES_AT_ONCE: Final = 2_000
"""After so many messages a transaction is made: memory stays the same for any history."""

PARALLEL_MESSAGES: Final = 10_000
"""Of fewer, a second process is not done with its imports before the first one is done."""

Progress = Callable[[int, int], None]
"""Told how many of the due sessions are settled, and how many there were."""


class Settled(Struct, kw_only=True):
    """What was attributed. `problems` maps a session that cannot be to the reason."""

    sessions: int = 0
    messages: int = 0
    problems: dict[str, str] = field(default_factory=dict[str, str])

    def add(self, other: "Settled") -> None:
        """Take in what another process settled."""
        self.sessions += other.sessions
        self.messages += other.messages
        self.problems |= other.problems


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
        settled = Settled()
        if not await self._store.has_due(VERSION):
            return settled
        run = _Run(self._store, await self._scale_of(), settled, limit, progress, from_end)
        if limit is not None or from_end or not await self._is_much():
            await run.all()
            return settled
        other = await SettlingProcess.start(self._store)
        try:
            await run.all()
            settled.add(_decoded(await other.answer()))
        finally:
            await other.stop()
        await run.all()
        return settled

    async def _is_much(self) -> bool:
        """Whether a second process pays, and would settle as this one does."""
        if self._engine is not None or (os.cpu_count() or 1) < 2:
            return False
        return await self._store.count_due_messages() >= PARALLEL_MESSAGES

    async def recompute(self, progress: Progress | None = None) -> Settled:
        """Attribute every session anew.

        Raises:
            StoreError: the ledger cannot be written.
        """
        await self._store.mark_all_due()
        return await self.settle(progress=progress)

    async def _scale_of(self) -> ScaleOf:
        learned = await self._store.multipliers()
        engine = self._engine
        scale_of = scales(learned) if engine is None else engine.calibrated(learned).scale
        return cache(scale_of)  # each answer asks, and to read a model's name takes long


class _Run:
    """One settling of what is due."""

    def __init__(
        self,
        store: TokenStore,
        scale_of: ScaleOf,
        settled: Settled,
        limit: int | None,
        progress: Progress | None,
        from_end: bool,
    ) -> None:
        self._store = store
        self._scale_of = scale_of
        self._settled = settled
        self._limit = limit
        self._progress = progress
        self._from_end = from_end
        self._seen: set[str] = set()
        self._total = 0

    async def all(self) -> None:
        """Settle what is due, each session once."""
        settled, limit = self._settled, self._limit
        if self._progress is not None:
            due = await self._store.count_due(VERSION)
            self._total = max(self._total, settled.sessions + due)
        again: set[str] = set()
        while limit is None or settled.sessions < limit:
            at_once = _SESSIONS_AT_ONCE
            if limit is not None:
                at_once = min(at_once, limit - settled.sessions)
            due = await self._store.due_sessions(
                VERSION, at_once + len(again), from_end=self._from_end
            )
            # A session that is written to all the time is left to the next one who asks.
            again = {each.session_id for each in due} & self._seen
            due = [each for each in due if each.session_id not in again]
            if not due:
                break
            taken = await self._settle(due)
            self._seen |= {each.session_id for each in taken}
            if self._progress is not None:
                self._progress(settled.sessions, max(self._total, settled.sessions))

    async def _settle(self, due: Sequence[Due]) -> Sequence[Due]:
        """Settle the first of these, as many as fit into one transaction; which they were."""
        sources: list[Source] = []
        messages = 0
        names = [each.session_id for each in due]
        with_loads = await self._store.sessions_with_loads(names)
        with_totals = await self._store.sessions_with_client_totals(names)
        for name in names:
            source = await self._source(name, name in with_loads, name in with_totals)
            sources.append(source)
            messages += len(source.chains.messages)
            if messages >= _MESSAGES_AT_ONCE:
                break
        taken = due[: len(sources)]
        shares = await asyncio.to_thread(self._attribute, sources)
        since = {each.session_id: each.since for each in taken}
        await self._store.save_shares(shares, since, version=VERSION)
        self._settled.sessions += len(sources)
        self._settled.messages += messages
        self._settled.problems |= {
            each.session_id: each.problem for each in shares if each.problem is not None
        }
        return taken

    async def _source(self, name: str, has_loads: bool, has_totals: bool) -> Source:
        store = self._store
        chains = await store.session_chains(name)
        if not chains.messages or not (has_loads or has_totals):
            return Source(chains=chains)
        return Source(
            chains=chains,
            data=await store.get_session_data(name) if has_loads else None,
            loads=await store.session_loads(name) if has_loads else (),
            models=await store.session_models(name) if has_totals else {},
            client_totals=await store.client_totals(name) if has_totals else (),
        )

    def _attribute(self, sources: Iterable[Source]) -> list[SessionShares]:
        return [attributed(source, self._store.prices, self._scale_of) for source in sources]


def _decoded(answer: bytes) -> Settled:
    try:
        return decode(answer, type=Settled)
    except DecodeError:
        return Settled()
