"""Brings a database to the schema of this version: numbered `.sql` files, applied by yoyo."""

import sqlite3
from pathlib import Path
from typing import Final
from urllib.parse import quote

import aiosqlite

from token_tracking.errors import StoreError
from token_tracking.store.connection import BUSY_SECONDS, store_errors

MIGRATIONS: Final = Path(__file__).parent / "migrations"


def known_migrations(folder: Path = MIGRATIONS) -> set[str]:
    """The names of all migrations of this version."""
    return {file.stem for file in folder.glob("*.sql")}


async def needs_migration(
    connection: aiosqlite.Connection, path: Path, folder: Path = MIGRATIONS
) -> bool:
    """Whether migrations are to be applied.

    Raises:
        StoreError: the database is of a newer version.
    """
    with store_errors(path):
        rows = await connection.execute_fetchall("SELECT name FROM sqlite_master")
        tables = {str(row[0]) for row in rows}
        if "_yoyo_migration" not in tables:
            return True
        rows = await connection.execute_fetchall("SELECT migration_id FROM _yoyo_migration")
    applied, known = {str(row[0]) for row in rows}, known_migrations(folder)
    if applied and not applied & known:
        raise StoreError(f"{path} is a database of another program. Choose another file with --db.")
    if newer := applied - known:
        raise StoreError(
            f"{path} was written by a newer version of token-tracking ({', '.join(sorted(newer))})."
            " Upgrade with: pip install --upgrade token-tracking."
        )
    return applied != known


def migrate(path: Path, folder: Path = MIGRATIONS) -> None:
    """Apply what is missing. Processes that do so at once wait for each other; one that is
    killed leaves nothing behind that stops the next.

    Raises:
        StoreError: the folder or file cannot be written.
    """
    from filelock import FileLock, Timeout  # noqa: PLC0415 (only for a new or older database)
    from yoyo import (  # noqa: PLC0415 (60 ms)  # pyright: ignore[reportMissingTypeStubs]
        get_backend,  # pyright: ignore[reportUnknownVariableType]
        read_migrations,  # pyright: ignore[reportUnknownVariableType]
    )

    with store_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with (
                FileLock(f"{path}.migrate.lock", timeout=BUSY_SECONDS),
                # yoyo hands the path on as it is, as part of a URI of SQLite's.
                get_backend(f"sqlite:///{quote(path.absolute().as_posix())}") as backend,
            ):
                migrations = read_migrations(str(folder))
                backend.apply_migrations(backend.to_apply(migrations))
        except (AssertionError, sqlite3.OperationalError) as error:
            # So it fails where the disk is full, after a failure to roll back.
            raise StoreError(
                f"{path} cannot be set up ({error}): is the disk full, or a limit reached?"
                " Free some space, then try again."
            ) from error
        except Timeout as error:
            raise StoreError(
                f"Another process has been upgrading {path} for {BUSY_SECONDS} seconds."
                " Wait for it, or stop it, then try again."
            ) from error
