"""`gateway.db`: the text that sessions and conversations asked the gateway to keep.

It stands beside the ledger, which never holds text, and only its owner may read it. Deleted text
is overwritten in the file, and its journal is emptied.
"""

import asyncio
import os
import sqlite3
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final, Self

import aiosqlite

from token_tracking.store.connection import connect, store_errors
from token_tracking.store.migrate import migrate, needs_migration

FILE_NAME: Final = "gateway.db"

MIGRATIONS: Final = Path(__file__).parent / "migrations"

_PRAGMAS: Final = ("foreign_keys = ON", "secure_delete = ON", "journal_size_limit = 0")


class GatewayDatabase:
    """One connection to the file, for one event loop. Rows are tuples."""

    def __init__(self, path: Path, connection: aiosqlite.Connection) -> None:
        self.path = path
        self._connection = connection
        self._writing = asyncio.Lock()

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Open the file; it is made where there is none, and brought to this version's schema.

        Raises:
            StoreError: it cannot be written, is another program's, or of a newer version.
        """
        await asyncio.to_thread(_make, path)
        connection = await connect(path)
        try:
            if await needs_migration(connection, path, MIGRATIONS):
                await asyncio.to_thread(migrate, path, MIGRATIONS)
            with store_errors(path):
                for pragma in _PRAGMAS:
                    await connection.execute_fetchall(f"PRAGMA {pragma}")
        except BaseException:
            await connection.close()
            raise
        return cls(path, connection)

    async def close(self) -> None:
        """Close the file."""
        async with self._writing:
            await self._connection.close()

    async def fetch(self, query: str, values: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query, outside a transaction.

        Raises:
            StoreError: the file cannot be read.
        """
        with store_errors(self.path):
            rows = await self._connection.execute_fetchall(query, tuple(values))
        return [tuple(row) for row in rows]

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[aiosqlite.Connection]:
        """The connection, within a transaction that ends with the context: all of it or, where
        something is raised, nothing. One at a time.

        Raises:
            StoreError: the file cannot be written.
        """
        async with self._writing:
            with store_errors(self.path):
                try:
                    await self._connection.execute("BEGIN IMMEDIATE")
                    yield self._connection
                    await self._connection.commit()
                except BaseException:
                    await self._connection.rollback()
                    raise

    async def empty_journal(self) -> None:
        """Write everything back from the journal, and empty that: after a deletion, what was
        deleted stands in neither. Where another process reads, it happens at its next chance."""
        async with self._writing:
            with suppress(sqlite3.OperationalError):
                await self._connection.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")


def _make(path: Path) -> None:
    """SQLite would make it with the mode of any file, and gives its journals the file's mode."""
    with store_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)
