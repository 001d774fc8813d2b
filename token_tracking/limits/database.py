"""The file of quotas and alerts: `limits.db` beside the ledger, for several processes.

A reservation is one short transaction that a request waits for, so this is plain `sqlite3` on a
thread of the caller's: `aiosqlite` goes to its thread and back for each statement, of which a
reservation has about eight.
"""

import os
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

from token_tracking.errors import StoreError
from token_tracking.write_ahead import use_write_ahead_log

NAME: Final = "limits.db"

APPLICATION_ID: Final = 0x74746C6D
"""`ttlm` in the file's header: how it is told from any other database."""

BUSY_SECONDS: Final = 5.0
"""How long a transaction waits for other processes. One takes a tenth of a millisecond."""

_MIGRATIONS: Final = Path(__file__).parent / "migrations"


def beside(ledger: Path) -> Path:
    """Where the limits of a ledger stand."""
    return ledger.with_name(NAME)


def opened(path: Path) -> sqlite3.Connection:
    """A connection in autocommit mode, to a file that only its owner may read; made where there is
    none, and brought to the schema of this version. For one thread at a time.

    Raises:
        StoreError: the file cannot be written, is another program's, or of a newer version.
    """
    with limits_errors(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        connection = sqlite3.connect(
            path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            _refuse_foreign(connection, path)
            use_write_ahead_log(connection, BUSY_SECONDS)
            connection.execute("PRAGMA synchronous = NORMAL")
            _migrate(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


@contextmanager
def reading(path: Path) -> Generator[sqlite3.Connection | None]:
    """A connection that only reads, all of it at one moment: what is booked between two queries
    would be neither held nor used. `None` where there is no such file yet.

    Raises:
        StoreError: the file cannot be read, is another program's, or of another version.
    """
    if not path.exists():
        yield None
        return
    with limits_errors(path):
        location = f"file:{quote(path.absolute().as_posix())}?mode=ro"
        with closing(
            sqlite3.connect(location, uri=True, timeout=BUSY_SECONDS, isolation_level=None)
        ) as connection:
            connection.execute("BEGIN")
            _refuse_foreign(connection, path)
            is_empty = _version(connection) == 0  # another process is making it
            yield None if is_empty else connection


@contextmanager
def writing(connection: sqlite3.Connection) -> Generator[None]:
    """One transaction, which no other process's can run beside."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


@contextmanager
def limits_errors(path: Path) -> Generator[None]:
    """Errors of SQLite and of the file system as `StoreError`, with what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(_advice(path, str(error))) from error
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror or error}. Make its folder writable.") from error


def _refuse_foreign(connection: sqlite3.Connection, path: Path) -> None:
    """Before anything is changed: another program's file stays as it is."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    if application == APPLICATION_ID:
        return
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables or application:
        raise StoreError(f"{path} is a database of another program. Move it away.")


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Apply the numbered files that are missing, all or none of them. SQLite's lock lets one
    process do so; the others find it done."""
    files = sorted(_MIGRATIONS.glob("*.sql"))
    version = _version(connection)
    if version > len(files):
        raise StoreError(
            f"{path} was written by a newer version of token-tracking. Upgrade with:"
            " pip install --upgrade token-tracking."
        )
    if version == len(files):
        return
    with writing(connection):
        for file in files[_version(connection) :]:
            for statement in _statements(file.read_text(encoding="utf-8")):
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(files)}")


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return version


def _statements(script: str) -> Generator[str]:
    """`executescript` would end the transaction."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _advice(path: Path, text: str) -> str:
    if "locked" in text or "busy" in text:
        return (
            f"{path} is locked by another program for more than {BUSY_SECONDS:.0f} seconds. Close"
            " what uses it, then try again."
        )
    if "full" in text or "disk I/O" in text:
        return f"{path} cannot be written ({text}): is the disk full? Free some space."
    if "readonly" in text or "unable to open" in text:
        return f"{path} cannot be used. Make it and its folder writable."
    if "not a database" in text or "malformed" in text:
        return (
            f"{path} is no database of limits, or is damaged ({text}). Move it away: a new one is"
            " made, which begins to count anew."
        )
    return f"{path}: {text}."
