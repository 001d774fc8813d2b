"""The file of a content store: made, recognised, and its errors in the user's words."""

import os
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from token_tracking.window.errors import ContentStoreError
from token_tracking.write_ahead import use_write_ahead_log

APPLICATION_ID: Final = 0x74746373
"""`ttcs` in the file's header: how a content store is told from any other database."""
VERSION: Final = 1

_OPENING_SECONDS: Final = 5.0
"""How long opening waits for another process, which may be making the file."""
_BUSY_SECONDS: Final = 0.25
"""How long a call waits for another process: a write takes milliseconds, and a request waits."""

_SCHEMA: Final = (
    """CREATE TABLE IF NOT EXISTS contents (
        handle TEXT PRIMARY KEY, size INTEGER NOT NULL, used_at INTEGER NOT NULL,
        tool TEXT, subject TEXT, text BLOB NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS contents_by_use ON contents (used_at)",
    "CREATE TABLE IF NOT EXISTS sizes (total INTEGER NOT NULL)",
    "INSERT INTO sizes SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM sizes)",
    """CREATE TRIGGER IF NOT EXISTS contents_come AFTER INSERT ON contents BEGIN
        UPDATE sizes SET total = total + new.size; END""",
    """CREATE TRIGGER IF NOT EXISTS contents_go AFTER DELETE ON contents BEGIN
        UPDATE sizes SET total = total - old.size; END""",
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {VERSION}",
)
"""A change of it takes another `VERSION`. Times are milliseconds since 1970 UTC."""


def opened(path: Path) -> sqlite3.Connection:
    """A connection in autocommit mode to a content store, which is made where there is none.

    Raises:
        ContentStoreError: the file is a ledger or another program's, or cannot be written.
    """
    with sqlite_errors(path):
        _make(path)
        connection = sqlite3.connect(
            path, timeout=_OPENING_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            _refuse_foreign(connection, path)
            path.chmod(0o600)
            _set_up(connection)
        except BaseException:
            connection.close()
            raise
    return connection


def wait_less(connection: sqlite3.Connection) -> None:
    """From now on a call waits a quarter of a second for another process."""
    connection.execute(f"PRAGMA busy_timeout = {round(_BUSY_SECONDS * 1000)}")


@contextmanager
def sqlite_errors(path: Path) -> Generator[None]:
    """Errors of SQLite and of the file system as `ContentStoreError`, with what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise ContentStoreError(_advice(path, str(error))) from error
    except OSError as error:
        raise ContentStoreError(
            f"{path}: {error.strerror or error}. Choose another file for the content store."
        ) from error


def _make(path: Path) -> None:
    """SQLite would make it with the mode of any file, and gives its journals the file's mode."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def _refuse_foreign(connection: sqlite3.Connection, path: Path) -> None:
    """Before anything is changed: another program's file stays as it is."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    if application == APPLICATION_ID:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise ContentStoreError(
                f"{path} was written by a newer version of token-tracking. Upgrade with:"
                " pip install --upgrade token-tracking."
            )
        return
    tables = [str(row[0]) for row in connection.execute("SELECT name FROM sqlite_master")]
    if any("yoyo" in table for table in tables):
        raise ContentStoreError(
            f"{path} is a ledger, which never holds text. Give the content store another file."
        )
    if tables or application:
        raise ContentStoreError(
            f"{path} is a database of another program. Give the content store another file."
        )


def _set_up(connection: sqlite3.Connection) -> None:
    connection.execute(f"PRAGMA busy_timeout = {round(_OPENING_SECONDS * 1000)}")
    use_write_ahead_log(connection, _OPENING_SECONDS)
    for pragma in ("synchronous = NORMAL", "secure_delete = ON", "journal_size_limit = 0"):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == VERSION:
        return
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        for statement in _SCHEMA:
            connection.execute(statement)


def _advice(path: Path, text: str) -> str:
    if "locked" in text or "busy" in text:
        return f"{path} is locked by another program. Close what uses it, then try again."
    if "full" in text or "disk I/O" in text:
        return f"{path} cannot be written ({text}): is the disk full? Free some space."
    if "readonly" in text or "unable to open" in text:
        return f"{path} cannot be written. Make it and its folder writable, or choose another file."
    if "not a database" in text or "malformed" in text:
        return f"{path} is no content store, or is damaged ({text}). Delete it, or choose another."
    if "closed" in text:
        return f"The content store {path} was closed. Open it again."
    return f"{path}: {text}."
