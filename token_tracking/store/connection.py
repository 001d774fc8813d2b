"""Connections to SQLite, and its errors in the user's words."""

import asyncio
import sqlite3
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

import aiosqlite

from token_tracking.errors import StoreError

BUSY_SECONDS: Final = 30
"""How long a writer waits for another one: several assistants share one file."""

_RETRY_SECONDS: Final = 0.05
_CACHE_KIB: Final = 16 * 1024


async def connect(path: Path) -> aiosqlite.Connection:
    """A connection in autocommit mode; one that only reads where the file cannot be written.

    Raises:
        StoreError: the file cannot be opened, is no SQLite database, or is another program's.
    """
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            return await _connect(path)
        except sqlite3.OperationalError as error:
            # Two processes that make one file at once: of who changes its journal, SQLite answers
            # the second at once, without the wait that it was told.
            if "locked" not in str(error) or time.monotonic() > deadline:
                with store_errors(path):
                    raise
        await asyncio.sleep(_RETRY_SECONDS)


async def _connect(path: Path) -> aiosqlite.Connection:
    with _other_errors(path):
        connection = await _open(path, "")
        try:
            await _refuse_foreign(connection, path)
            await _set_up(connection)
        except sqlite3.OperationalError as error:
            await connection.close()
            if not path.exists() or not _refuses_writing(error):
                raise
        except BaseException:
            await connection.close()
            raise
        else:
            return connection
        return await _open_read_only(path)


async def _open_read_only(path: Path) -> aiosqlite.Connection:
    """What was not written back from the journal yet cannot be read where nothing can be written:
    better no figures than old ones."""
    journal = path.with_name(path.name + "-wal")
    try:
        pending = journal.stat().st_size > 0
    except OSError:
        pending = False
    if pending:
        raise StoreError(
            f"{path} is read-only, and {journal.name} beside it holds newer figures. Open it once"
            " where it can be written, or make its folder writable."
        )
    return await _open(path, "?immutable=1")


async def _open(path: Path, options: str) -> aiosqlite.Connection:
    connection = aiosqlite.connect(
        f"file:{quote(path.absolute().as_posix())}{options}",
        uri=True,
        isolation_level=None,
        timeout=BUSY_SECONDS,
    )
    try:
        return await connection
    except BaseException:
        # Its thread answers the event loop once more, and fails if that is closed by then.
        await asyncio.to_thread(connection._thread.join)  # pyright: ignore[reportPrivateUsage]
        raise


async def _refuse_foreign(connection: aiosqlite.Connection, path: Path) -> None:
    """Before anything is changed: a file of another program stays as it is."""
    rows = await connection.execute_fetchall("SELECT name FROM sqlite_master WHERE type = 'table'")
    tables = {str(row[0]) for row in rows}
    if tables and not any("yoyo" in table for table in tables):
        raise StoreError(f"{path} is a database of another program. Choose another file with --db.")


async def _set_up(connection: aiosqlite.Connection) -> None:
    for pragma in (
        "journal_mode = WAL",
        "synchronous = NORMAL",
        f"cache_size = -{_CACHE_KIB}",
        "temp_store = MEMORY",
    ):
        await connection.execute(f"PRAGMA {pragma}")


def _refuses_writing(error: sqlite3.OperationalError) -> bool:
    return any(part in str(error) for part in ("readonly", "unable to open", "attempt to write"))


@contextmanager
def _other_errors(path: Path) -> Generator[None]:
    """All but a lock, which may be gone in a moment."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise
        raise StoreError(_advice(path, error)) from error
    except (sqlite3.Error, OSError):
        with store_errors(path):
            raise


@contextmanager
def store_errors(path: Path) -> Generator[None]:
    """Driver errors as `StoreError`, with what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(_advice(path, error)) from error
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror or error}. Choose another with --db.") from error


def _advice(path: Path, error: sqlite3.Error) -> str:
    text = str(error)
    if "locked" in text or "busy" in text:
        return (
            f"{path} is locked by another program for more than {BUSY_SECONDS} seconds."
            " Close what uses it, then try again."
        )
    if "full" in text or "disk I/O" in text:
        return (
            f"{path} cannot be written ({text}): is the disk full, or a limit reached? Free some"
            " space, then try again."
        )
    if "readonly" in text:
        return f"{path} is read-only. Make it writable, or choose another file with --db."
    if "not a database" in text or "malformed" in text:
        return (
            f"{path} is not a token-tracking database, or is damaged ({text})."
            " Choose another file with --db, or move this one away."
        )
    if "unable to open" in text:
        return f"{path} cannot be opened: does its folder exist, and may you write there?"
    return f"{path}: {text}."
