"""Sessions that are due: read, attributed, and saved in as few transactions as memory allows."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct, field

from token_tracking.attributing.attributed import Source, attributed
from token_tracking.efficiency import ScaleOf
from token_tracking.shares import SessionShares
from token_tracking.store import Due, SessionChains, TokenStore

VERSION: Final = 1
"""Of the algorithm: what an older one attributed is due. Raise it with each change of what
attribution, its facts or its findings give."""

MESSAGES_AT_ONCE: Final = 4_000
"""After so many messages a transaction is made: memory stays the same for any history."""

_UNSAVED: Final = 3


class Settled(Struct, kw_only=True):
    """What was attributed. `messages` are those that the sessions own, and not those that they
    inherited. `problems` maps a session that cannot be to the reason."""

    sessions: int = 0
    messages: int = 0
    problems: dict[str, str] = field(default_factory=dict[str, str])

    def add(self, other: "Settled") -> None:
        """Take in what more was settled."""
        self.sessions += other.sessions
        self.messages += other.messages
        self.problems |= other.problems


class Settler:
    """Attributes sessions, and saves what it found of several at once."""

    def __init__(self, store: TokenStore, scale_of: ScaleOf) -> None:
        self._store = store
        self._scale_of = scale_of
        self._shares: list[SessionShares] = []
        self._since: dict[str, int] = {}
        self._messages = 0
        self._portions = 0

    async def settle(
        self,
        take: Callable[[], Awaitable[Sequence[Due] | None]],
        done: Callable[[Settled], None],
    ) -> None:
        """Settle the portions that `take` gives until it gives `None`, and tell what was saved.
        While another process writes, the next portion is attributed instead of waiting.

        Raises:
            StoreError: the ledger cannot be written. What was saved before stays so.
        """
        while (due := await take()) is not None:
            await self.attribute(due)
            if self._portions >= _UNSAVED or not self._store.is_written_elsewhere():
                done(await self.save())
        done(await self.save())

    async def attribute(self, due: Sequence[Due]) -> None:
        """Attribute sessions; `save` keeps it."""
        sources = await self._sources([each.session_id for each in due])
        self._shares += await asyncio.to_thread(self._attributed, sources)
        self._since |= {each.session_id: each.since for each in due}
        self._messages += sum(_own(source.chains) for source in sources)
        self._portions += 1

    async def save(self) -> Settled:
        """Save what was attributed since the last time, and say what it was.

        Raises:
            StoreError: the ledger cannot be written; nothing was saved.
        """
        shares, since, messages = self._shares, self._since, self._messages
        self._shares, self._since = [], {}
        self._messages = self._portions = 0
        if shares:
            await self._store.save_shares(shares, since, version=VERSION)
        problems = {each.session_id: each.problem for each in shares if each.problem is not None}
        return Settled(sessions=len(shares), messages=messages, problems=problems)

    async def _sources(self, names: Sequence[str]) -> list[Source]:
        store = self._store
        with_loads = await store.sessions_with_loads(names)
        with_totals = await store.sessions_with_client_totals(names)
        return [
            await self._source(each, each.session_id in with_loads, each.session_id in with_totals)
            for each in await store.chains_of(names)
        ]

    async def _source(self, chains: SessionChains, has_loads: bool, has_totals: bool) -> Source:
        if not chains.messages or not (has_loads or has_totals):
            return Source(chains=chains)
        store, name = self._store, chains.session_id
        return Source(
            chains=chains,
            data=await store.get_session_data(name) if has_loads else None,
            loads=await store.session_loads(name) if has_loads else (),
            models=await store.session_models(name) if has_totals else {},
            client_totals=await store.client_totals(name) if has_totals else (),
        )

    def _attributed(self, sources: Iterable[Source]) -> list[SessionShares]:
        return [attributed(source, self._store.prices, self._scale_of) for source in sources]


def fitting(due: Sequence[Due], sizes: Mapping[str, int], most: int) -> Sequence[Due]:
    """The first of these sessions that have at most so many messages together, but at least one
    session. `sizes` are those of `TokenStore.session_sizes`."""
    together = 0
    for number, each in enumerate(due):
        together += sizes.get(each.session_id, 0)
        if together > most:
            return due[: max(1, number)]
    return due


def _own(chains: SessionChains) -> int:
    return sum(message.is_own for message in chains.messages)
