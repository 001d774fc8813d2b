"""SQLite's write-ahead log, for the small databases that stand beside the ledger."""

import sqlite3
import time
from typing import Final

_RETRY_SECONDS: Final = 0.02


def use_write_ahead_log(connection: sqlite3.Connection, seconds: float) -> None:
    """Have readers and writers not wait for each other. Of two processes that make one file at
    once, SQLite answers the second who changes its journal at once, without the wait that it was
    told: this waits, for at most `seconds`.

    Raises:
        sqlite3.Error: it stays locked, or is no database.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchall()
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
        else:
            return
        time.sleep(_RETRY_SECONDS)
