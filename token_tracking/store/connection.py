"""Connections to SQLite, and its errors in the user's words."""

import asyncio
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

import aiosqlite

from token_tracking.errors import StoreError

BUSY_SECONDS: Final = 30
"""How long a writer waits for another one: several assistants share one file."""

_CACHE_KIB: Final = 16 * 1024


async def connect(path: Path) -> aiosqlite.Connection:
    """A connection in autocommit mode; one that only reads where the file cannot be written.

    Raises:
        StoreError: the file cannot be opened, or is no SQLite database.
    """
    with store_errors(path):
        writable = await _open(path, "")
        try:
            await writable.execute("PRAGMA journal_mode = WAL")
            await _set_up(writable)
        except sqlite3.OperationalError as error:
            await writable.close()
            if not path.exists() or not _refuses_writing(error):
                raise
        except BaseException:
            await writable.close()
            raise
        else:
            return writable
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


async def _set_up(connection: aiosqlite.Connection) -> None:
    for pragma in (
        "synchronous = NORMAL",
        f"cache_size = -{_CACHE_KIB}",
        "temp_store = MEMORY",
    ):
        await connection.execute(f"PRAGMA {pragma}")
    await connection.execute("SELECT COUNT(*) FROM sqlite_master")


def _refuses_writing(error: sqlite3.OperationalError) -> bool:
    return any(part in str(error) for part in ("readonly", "unable to open", "attempt to write"))


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
    if "full" in text:
        return f"The disk is full: {path} cannot grow. Free some space, then try again."
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
