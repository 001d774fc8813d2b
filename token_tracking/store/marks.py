"""Which sessions a transaction changed: they are to be attributed again."""

from collections.abc import Iterable
from typing import Any

import aiosqlite


class Marks:
    """Sessions and messages that changed, by their rows; written before the transaction ends."""

    def __init__(self) -> None:
        self.sessions: set[int] = set()
        self.messages: set[int] = set()
        self.calls: set[str] = set()
        self.names: set[str] = set()
        self.is_changed = False

    async def write(self, connection: aiosqlite.Connection, queries: Any) -> None:
        """Mark these sessions, those that the messages stand in, those that tool calls (`calls`,
        by their keys) are of, and those with these names. Nothing changed: nothing is written."""
        found = set(self.sessions)
        if self.messages:
            await queries.clear_wanted_ids(connection)
            await queries.want_id(connection, [{"id": row} for row in sorted(self.messages)])
            found |= {row[0] async for row in queries.sessions_of_messages(connection)}
        if self.calls and await queries.has_loads(connection):
            await _want(connection, queries, self.calls)
            found |= {row[0] async for row in queries.sessions_of_calls(connection)}
        if self.names:
            await _want(connection, queries, self.names)
            found |= {row[0] async for row in queries.sessions_named(connection)}
        if found or self.is_changed:
            await mark(connection, queries, found)


async def mark(connection: aiosqlite.Connection, queries: Any, sessions: Iterable[int]) -> None:
    """The ledger changed: count it, and mark these sessions as due."""
    await queries.count_change(connection)
    since: int = await queries.revision(connection)
    await queries.mark_session(
        connection, [{"session_id": session, "since": since} for session in sorted(sessions)]
    )


async def _want(connection: aiosqlite.Connection, queries: Any, names: Iterable[str]) -> None:
    await queries.clear_wanted(connection)
    await queries.want(connection, [{"name": name} for name in sorted(names)])
