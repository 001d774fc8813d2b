"""`TokenStore`: the ledger in a database."""

import asyncio
import os
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal, Self

import aiosqlite

from token_tracking.errors import UnknownSessionError
from token_tracking.location import Location, default_location, locate
from token_tracking.pricing import PriceBook
from token_tracking.reading import FileCursor, FoundFile, Reading
from token_tracking.store.batch import Batch
from token_tracking.store.connection import connect, store_errors
from token_tracking.store.migrate import migrate, needs_migration
from token_tracking.store.queries import load_queries
from token_tracking.store.records import MessageSums, Saved, SessionData, Sums, TokenUsage, ToolSum
from token_tracking.store.rows import QUARTER_MS, repriced, token_usage
from token_tracking.store.saving import Save, Statements, sum_anew
from token_tracking.store.turnstile import Turnstile
from token_tracking.usage import UsageEvent

Grouping = Literal["quarter", "session", "project"]
_NO_BOUND: Final = 2**62
_REPRICED_AT_ONCE: Final = 10_000


class TokenStore:
    """One ledger. Any number of processes may have the same one open; writers take turns.

    Use `await TokenStore.open(...)`, or `async with TokenStore.opened(...)`.
    """

    def __init__(
        self, connection: aiosqlite.Connection, location: Location, user_prices: Path | None
    ) -> None:
        self._db = connection
        self.location = location
        self.user_prices = user_prices
        self.prices = PriceBook(user_prices)
        self._statements = Statements(load_queries())
        self._sql: Any = self._statements.queries
        self._one_at_a_time = asyncio.Lock()
        self._turnstile = Turnstile(location.path)

    @classmethod
    async def open(
        cls,
        database: str | os.PathLike[str] | None = None,
        *,
        user_prices: str | os.PathLike[str] | None = None,
    ) -> Self:
        """Open the ledger at a path or URL (by default `TOKEN_TRACKING_DB` or the user's data
        folder), creating or upgrading it. `user_prices` is a TOML file of prices.

        Raises:
            InvalidPricesError: the price file cannot be read as one.
            StoreError: it cannot be opened; the text says what to do.
        """
        location = default_location(os.environ) if database is None else locate(database)
        if not location.path.exists():
            migrate(location.path)
        connection = await connect(location.path)
        try:
            if await needs_migration(connection, location.path):
                migrate(location.path)
            store = cls(connection, location, None if user_prices is None else Path(user_prices))
            with store_errors(location.path):
                await store._create_temporary_tables()
        except BaseException:
            await connection.close()
            raise
        return store

    @classmethod
    @asynccontextmanager
    async def opened(
        cls,
        database: str | os.PathLike[str] | None = None,
        *,
        user_prices: str | os.PathLike[str] | None = None,
    ) -> AsyncGenerator[Self]:
        """`open` as a context: the connection is closed at its end."""
        store = await cls.open(database, user_prices=user_prices)
        try:
            yield store
        finally:
            await store.close()

    async def close(self) -> None:
        """Close the connection, after what is being saved. What was saved is saved."""
        async with self._one_at_a_time:
            self._turnstile.close()
            await self._db.close()

    async def save_usage(self, events: UsageEvent | Iterable[UsageEvent]) -> Saved:
        """Save sightings; what they changed. A message that is known is joined with them.

        Raises:
            StoreError: the database cannot be written; nothing was saved.
        """
        given = [events] if isinstance(events, UsageEvent) else events
        return await self._save(Batch.of_events(given))

    async def save_readings(self, readings: Iterable[Reading]) -> Saved:
        """Save what was read from files, and how far they were read, in one transaction.

        Raises:
            StoreError: the database cannot be written; nothing was saved.
        """
        return await self._save(Batch(readings))

    async def _save(self, batch: Batch) -> Saved:
        # A transaction that began is ended: whoever waited for it may go, the connection stays.
        return await asyncio.shield(self._save_now(batch))

    async def _save_now(self, batch: Batch) -> Saved:
        async with self._writing():
            return await Save(self._db, self._statements, self.prices).run(batch)

    @asynccontextmanager
    async def _writing(self) -> AsyncGenerator[None]:
        async with self._one_at_a_time, self._turnstile.turn():
            with store_errors(self.location.path):
                try:
                    await self._sql.begin(self._db)
                    yield
                    await self._sql.commit(self._db)
                except BaseException:
                    if self._db.in_transaction:
                        await self._sql.rollback(self._db)
                    raise

    @asynccontextmanager
    async def _reading(self) -> AsyncGenerator[None]:
        # A connection shows its own transaction before it is committed.
        async with self._one_at_a_time:
            with store_errors(self.location.path):
                yield

    async def _create_temporary_tables(self) -> None:
        await self._sql.create_wanted(self._db)
        await self._sql.create_wanted_ids(self._db)
        await self._sql.create_wanted_totals(self._db)

    def is_written_elsewhere(self) -> bool:
        """Whether another process is saving just now: a hint, true or false a moment later."""
        return self._turnstile.is_taken()

    async def check_writable(self) -> None:
        """Take the write lock and let it go.

        Raises:
            StoreError: the database cannot be written; the text says why and what to do.
        """
        async with self._writing():
            await self._sql.clear_retention_check(self._db)

    async def file_states(self) -> dict[str, FoundFile]:
        """Each file that was read, as it was then, by its path."""
        async with self._reading():
            return {row[0]: FoundFile(*row) async for row in self._sql.file_states(self._db)}

    async def file_cursor(self, path: str) -> FileCursor | None:
        """How far a file was read."""
        async with self._reading():
            row = await self._sql.file_cursor(self._db, path=path)
        return None if row is None else FileCursor(**dict(zip(_CURSOR, row, strict=True)))

    async def line_counts(self) -> tuple[int, int, int, int]:
        """Of all that was read: files, lines, malformed lines, answers without a valid usage."""
        async with self._reading():
            row = await self._sql.line_counts(self._db)
        return (row[0], row[1], row[2], row[3])

    async def get_message(self, key: str) -> TokenUsage | None:
        """One message by its key (see `usage.message_key`)."""
        async with self._reading():
            row = await self._sql.message_by_key(self._db, key=key)
        return None if row is None else token_usage(row)

    async def has_message(self, key: str) -> bool:
        """Whether a message stands in the ledger."""
        async with self._reading():
            return bool(await self._sql.message_known(self._db, key=key))

    async def get_recent_usage(
        self, limit: int = 100, category: str | None = None
    ) -> list[TokenUsage]:
        """The newest messages first; of one category where one is named."""
        async with self._reading():
            rows = self._sql.recent_messages(self._db, limit=limit, category=category)
            return [token_usage(row) async for row in rows]

    async def get_usage_in_range(self, start: datetime, end: datetime) -> list[TokenUsage]:
        """The messages from `start` up to, not including, `end`, in order of time."""
        async with self._reading():
            rows = self._sql.messages_in_range(
                self._db, start=milliseconds(start), end=milliseconds(end)
            )
            return [token_usage(row) async for row in rows]

    async def get_session_data(self, session_id: str) -> SessionData:
        """A session: its own messages, what it inherited, and the tools that it called.

        Raises:
            UnknownSessionError: the ledger has no such session.
        """
        async with self._reading():
            row = await self._sql.session_row(self._db, session_id=session_id)
            if row is None:
                raise UnknownSessionError(
                    f"No session {session_id!r} in the ledger. List them with:"
                    " token-tracking report --by session."
                )
            key, name, project, first_at, last_at = row
            messages = [
                token_usage(row) async for row in self._sql.session_messages(self._db, id=key)
            ]
            models = {
                row[0]: Sums(*row[1:]) async for row in self._sql.session_models(self._db, id=key)
            }
            inherited = {
                other: count
                async for other, count in self._sql.inherited_messages(self._db, id=key)
            }
            tools = [
                ToolSum(name=tool, server=server, calls=calls, result_bytes=size)
                async for tool, server, calls, size in self._sql.session_tools(self._db, id=key)
            ]
        return SessionData(
            session_id=name,
            project=project,
            first_at=first_at,
            last_at=last_at,
            messages=messages,
            models=models,
            inherited=inherited,
            tools=tools,
        )

    async def session_ids(self, prefix: str = "", limit: int = 100) -> list[str]:
        """Ids of sessions that begin with `prefix`, the newest first."""
        pattern = prefix.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"
        async with self._reading():
            rows = self._sql.sessions_like(self._db, pattern=pattern, limit=limit)
            return [row[0] async for row in rows]

    async def latest_session(self, project: str | None = None) -> str | None:
        """The session with the newest line among those that own messages; of one project where
        one is named."""
        async with self._reading():
            row = await self._sql.latest_session(self._db, project=project)
        return None if row is None else row[0]

    async def session_facts(self) -> dict[str, tuple[str, int, int]]:
        """Each session's project, first and last time."""
        async with self._reading():
            return {row[0]: row[1:] async for row in self._sql.session_facts(self._db)}

    async def projects(self) -> dict[str, int]:
        """Each project's row, by its path."""
        async with self._reading():
            return {row[1]: row[0] async for row in self._sql.projects(self._db)}

    async def totals(
        self,
        by: Grouping,
        *,
        start: int | None = None,
        end: int | None = None,
        projects: Iterable[int] | None = None,
    ) -> list[tuple[Any, str, Sums]]:
        """Sums by (quarter of an hour, session or project) and model.

        `start` and `end` are milliseconds since 1970 UTC and fall on quarters of an hour; the
        range is half-open. A model that no message names is ''. `projects` are rows of `projects`.
        """
        query = {
            "quarter": self._sql.quarters if projects is None else self._sql.totals_by_quarter,
            "session": self._sql.totals_by_session,
            "project": self._sql.totals_by_project,
        }[by]
        async with self._reading():
            await self._want_projects(projects)
            rows = query(
                self._db,
                start=-_NO_BOUND if start is None else start // QUARTER_MS,
                end=_NO_BOUND if end is None else end // QUARTER_MS,
                any_project=int(projects is None),
            )
            return [(row[0], row[1], Sums(*row[2:])) async for row in rows]

    async def message_sums(self, *, end: int | None = None) -> list[MessageSums]:
        """Each message before `end` (milliseconds since 1970 UTC), in order of time."""
        async with self._reading():
            rows = self._sql.message_sums(self._db, end=_NO_BOUND if end is None else end)
            return [MessageSums(row[0], row[1], row[2], Sums(*row[3:])) async for row in rows]

    async def _want_projects(self, projects: Iterable[int] | None) -> None:
        await self._sql.clear_wanted_ids(self._db)
        if projects is not None:
            await self._sql.want_id(self._db, [{"id": project} for project in projects])

    async def reprice(self) -> int:
        """Price every message anew; how many have another price now.

        Raises:
            StoreError: the database cannot be written; nothing was changed.
        """
        changed = 0
        dirty: set[tuple[int, int]] = set()
        async with self._writing():
            after = 0
            while rows := [
                row
                async for row in self._sql.messages_to_price(
                    self._db, after=after, limit=_REPRICED_AT_ONCE
                )
            ]:
                after = rows[-1][0]
                updates = [update for row in rows if (update := repriced(row, self.prices))]
                changed += len(updates)
                dirty |= {update[1] for update in updates}
                await self._sql.reprice_message(self._db, [update[0] for update in updates])
            await sum_anew(self._db, self._sql, dirty)
        return changed

    async def cleanup(self, retention: timedelta | None = None) -> int:
        """Delete messages older than `retention`; how many. Nothing is deleted unless it is set.
        What was deleted is not taken again where a transcript still has it.

        Raises:
            StoreError: the database cannot be written; nothing was deleted.
        """
        if retention is None:
            return 0
        before = milliseconds(datetime.now(UTC) - retention)
        async with self._writing():
            kept_from: int | None = await self._sql.kept_from(self._db)
            expired = {row async for row in self._sql.expired_totals(self._db, before=before)}
            deleted: int = await self._sql.delete_messages(self._db, before=before)
            await self._sql.delete_orphan_items(self._db)
            await self._sql.delete_orphan_placements(self._db)
            await self._sql.clear_lost_parents(self._db)
            await self._sql.clear_lost_placement_parents(self._db)
            await self._sql.clear_lost_item_messages(self._db)
            await self._sql.clear_lost_item_anchors(self._db)
            await self._sql.clear_retention(self._db)
            await self._sql.set_retention(self._db, kept_from=max(before, kept_from or 0))
            await sum_anew(self._db, self._sql, expired)
        return deleted


_CURSOR: Final = (
    "path",
    "inode",
    "modified_ns",
    "size",
    "offset",
    "fingerprint",
    "chains",
    "lines",
    "malformed_lines",
    "unusable_lines",
)


def milliseconds(moment: datetime) -> int:
    """Milliseconds since 1970 UTC. A moment without a zone is in the local one."""
    return int(moment.timestamp() * 1000)
