"""`TokenStore`: the ledger in a database."""

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

import aiosqlite

from token_tracking.location import Location, default_location, locate
from token_tracking.pricing import PriceBook
from token_tracking.reading import Reading
from token_tracking.store.attribution_reads import AttributionReads
from token_tracking.store.batch import Batch
from token_tracking.store.connection import connect, store_errors
from token_tracking.store.load_reads import LoadReads
from token_tracking.store.marks import Marks, mark
from token_tracking.store.migrate import migrate, needs_migration
from token_tracking.store.multipliers import StoredMultipliers
from token_tracking.store.queries import load_queries
from token_tracking.store.reads import milliseconds
from token_tracking.store.records import Saved
from token_tracking.store.rows import repriced
from token_tracking.store.saving import Save, Statements
from token_tracking.store.share_reads import ShareReads
from token_tracking.store.stored_shares import StoredShares
from token_tracking.store.sums import sum_anew
from token_tracking.store.turnstile import Turnstile
from token_tracking.usage import UsageEvent

if TYPE_CHECKING:
    from token_tracking.loads import LibrarySize, Load

_REPRICED_AT_ONCE: Final = 10_000
_Value = TypeVar("_Value")


class TokenStore(LoadReads, AttributionReads, ShareReads, StoredShares, StoredMultipliers):
    """One ledger. Any number of processes may have the same one open; writers take turns.

    Use `await TokenStore.open(...)`, or `async with TokenStore.opened(...)`.
    """

    def __init__(
        self, connection: aiosqlite.Connection, location: Location, user_prices: Path | None
    ) -> None:
        self._statements = Statements(load_queries())
        super().__init__(connection, location, self._statements.queries)
        self.user_prices = user_prices
        self.prices = PriceBook(user_prices)
        self._turnstile = Turnstile(location.path)
        self._saving: set[asyncio.Task[Any]] = set()

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
                await store._read_multipliers()
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
        await asyncio.gather(*self._saving, return_exceptions=True)
        async with self._one_at_a_time:
            self._turnstile.close()
            await self._db.close()

    async def save_usage(self, events: UsageEvent | Iterable[UsageEvent]) -> Saved:
        """Save sightings; what they changed. A message that is known is joined with them.

        Raises:
            StoreError: the database cannot be written; nothing was saved.
        """
        given = [events] if isinstance(events, UsageEvent) else events
        return await self._finish(self._save(Batch.of_events(given)))

    async def save_readings(self, readings: Iterable[Reading]) -> Saved:
        """Save what was read from files, and how far they were read, in one transaction.

        Raises:
            StoreError: the database cannot be written; nothing was saved.
        """
        return await self._finish(self._save(Batch(readings)))

    async def save_loads(
        self, loads: "Sequence[Load]", library: "LibrarySize | None" = None
    ) -> None:
        """Save what a server loaded into sessions, and how large the library is that it came from.
        Each load counts once: the same answer and URI again, the same call and URI, or else the
        same session, URI and time is the same load. Of what is told twice the earliest stays.

        Raises:
            StoreError: the database cannot be written; nothing was saved.
        """
        await self._finish(self._save_loads(loads, library))

    async def _finish(self, save: Coroutine[Any, Any, _Value]) -> _Value:
        # A transaction that began is ended: whoever waited for it may go, the connection stays.
        saving = asyncio.create_task(save)
        self._saving.add(saving)
        saving.add_done_callback(self._saving.discard)
        return await asyncio.shield(saving)

    async def _save(self, batch: Batch) -> Saved:
        async with self._writing():
            return await Save(self._db, self._statements, self.prices).run(batch)

    async def _save_loads(self, loads: "Sequence[Load]", library: "LibrarySize | None") -> None:
        from token_tracking.store.save_loads import save_loads  # noqa: PLC0415 (start-up)

        now = time.time_ns() // 1_000_000
        async with self._writing():
            await save_loads(self._db, self._sql, loads, library, now)

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

    async def reprice(self) -> int:
        """Price every message anew; how many have another price now.

        Raises:
            StoreError: the database cannot be written; nothing was changed.
        """
        changed = 0
        dirty: set[tuple[int, int]] = set()
        async with self._writing():
            marks = Marks()
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
                marks.messages = {update[0]["id"] for update in updates}
                await marks.write(self._db, self._sql)
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
            lost = {row[0] async for row in self._sql.sessions_before(self._db, before=before)}
            if lost:
                await mark(self._db, self._sql, lost)
                await self._sql.free_deleted_answers(self._db, before=before)
                await self._sql.free_deleted_requests(self._db, before=before)
            deleted: int = await self._sql.delete_messages(self._db, before=before)
            await self._sql.delete_orphan_items(self._db)
            await self._sql.delete_orphan_openings(self._db)
            await self._sql.delete_orphan_placements(self._db)
            await self._sql.clear_lost_parents(self._db)
            await self._sql.clear_lost_placement_parents(self._db)
            await self._sql.clear_lost_item_messages(self._db)
            await self._sql.clear_lost_item_anchors(self._db)
            await self._sql.delete_loads(self._db, before=before)
            await self._sql.delete_libraries(self._db, before=before)
            await self._sql.clear_retention(self._db)
            await self._sql.set_retention(self._db, kept_from=max(before, kept_from or 0))
            await sum_anew(self._db, self._sql, expired)
        return deleted
