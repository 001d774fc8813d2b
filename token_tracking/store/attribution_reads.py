"""What can be asked of a ledger about what stood in a session's prompts."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from msgspec import Struct

from token_tracking.store.reads import LedgerReads
from token_tracking.usage import Usage


class ChainMessage(NamedTuple):
    """A message as it stands in one session; `parent` is the row of the one before it there."""

    row: int
    key: str
    at: int
    parent: int | None
    agent_id: str | None
    is_sidechain: bool
    model: str | None
    speed: str | None
    service_tier: str | None
    inference_geo: str | None
    stop_reason: str | None
    source: str
    text_bytes: int
    thinking_bytes: int
    cost_pico: int | None
    is_own: bool
    attribution: str | None
    usage: Usage


class ChainCall(NamedTuple):
    """A tool call, by the row of its message, and its result, by that of the one it came after."""

    key: str
    kind: str
    name: str | None
    server: str | None
    uri: str | None
    bytes: int | None
    input_bytes: int | None
    message: int
    after: int | None
    position: int | None
    detail: str | None = None


class ChainEntry(NamedTuple):
    """What entered without a call, by the row of the message it came after."""

    key: str
    kind: str
    name: str | None
    server: str | None
    uri: str | None
    bytes: int | None
    after: int | None
    position: int | None
    detail: str | None


class SessionChains(Struct, frozen=True):
    """The messages of a session, its own and those it inherited, and what entered between."""

    session_id: str
    messages: list[ChainMessage]
    calls: list[ChainCall]
    entries: list[ChainEntry]


class AttributionReads(LedgerReads):
    """The question what stood in a session's prompts."""

    async def session_chains(self, session_id: str) -> SessionChains:
        """A session's messages and what entered between them; empty for an unknown session."""
        return (await self.chains_of([session_id]))[0]

    async def chains_of(self, session_ids: Sequence[str]) -> list[SessionChains]:
        """The same of several sessions, each named once, in this order. All are of one state of
        the ledger."""
        async with self._reading():
            await self._sql.begin_reading(self._db)
            try:
                found = await self._chains(session_ids)
            finally:
                await self._sql.commit(self._db)
        return [found.get(each) or SessionChains(each, [], [], []) for each in session_ids]

    async def session_sizes(self, session_ids: Sequence[str]) -> dict[str, int]:
        """How many messages stand in each of these sessions, its own and those it inherited:
        what `chains_of` would read."""
        async with self._reading():
            await self._want_sessions(session_ids)
            return {row[0]: row[1] for row in await self._rows(self._sql.attributed_sizes)}

    async def _chains(self, session_ids: Sequence[str]) -> dict[str, SessionChains]:
        await self._want_sessions(session_ids)
        known = await self._rows(self._sql.attributed_sessions)
        found = {row: SessionChains(name, [], [], []) for row, name in known}
        await self._sql.clear_wanted_ids(self._db)
        await self._sql.want_id(self._db, [{"id": row} for row in found])
        for row in await self._rows(self._sql.attributed_messages):
            found[row[0]].messages.append(_message(row))
        for row in await self._rows(self._sql.attributed_calls):
            found[row[0]].calls.append(ChainCall._make(row[1:]))
        for row in await self._rows(self._sql.attributed_entries):
            found[row[0]].entries.append(ChainEntry._make(row[1:]))
        return {each.session_id: each for each in found.values()}

    async def _want_sessions(self, names: Sequence[str]) -> None:
        await self._sql.clear_wanted(self._db)
        await self._sql.want(self._db, [{"name": name} for name in names])

    async def _rows(self, query: Any) -> Iterable[tuple[Any, ...]]:
        """All rows of a query without parameters at once: one by one, each waits for the event
        loop."""
        rows: Iterable[Any] = await self._db.execute_fetchall(query.sql)
        return rows


_USAGE: Final = 18
"""Where the counts stand in a row, behind the session's own row and the message."""


def _message(row: tuple[Any, ...]) -> ChainMessage:
    fresh, output, read, write_5m, write_1h, searches, fetches = row[_USAGE:]
    usage = Usage(
        input_tokens=fresh,
        output_tokens=output,
        cache_read_tokens=read,
        cache_write_5m_tokens=write_5m,
        cache_write_1h_tokens=write_1h,
        web_search_requests=searches,
        web_fetch_requests=fetches,
    )
    return ChainMessage._make((*row[1:_USAGE], usage))
