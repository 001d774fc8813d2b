"""A content store in a file of its own: for several processes, and after a restart."""

import sqlite3
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from datetime import timedelta
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from token_tracking.window.content_store.contract import (
    MAX_BYTES,
    StoredContent,
    check_max_bytes,
    check_size,
    decoded,
    encoded,
    handle_in,
    handles_of,
)
from token_tracking.window.content_store.file import opened, sqlite_errors, wait_less
from token_tracking.window.errors import ContentStoreError
from token_tracking.window.placeholders import one_line

KEEP: Final = timedelta(days=30)
"""As long as Claude Code keeps its transcripts, unless it is told otherwise."""

_FRESH_MS: Final = 60_000
"""A use is not written down again within a minute of the last one."""
_AT_ONCE: Final = 64
_LONGEST_NAME: Final = 200


class SqliteContentStore:
    """Keeps texts in a SQLite file that only its owner may read (mode 0600), for `keep` after
    their last use, and at most `max_bytes` of them as UTF-8: what was used longest ago leaves
    first. Deleted text is overwritten in the file.

    Each process opens the file itself (not before it forks); the threads of one may share it.
    Calls take some tenths of a millisecond, and up to a quarter of a second where another process
    writes: on an event loop, use `asyncio.to_thread`. `clock` gives seconds since 1970.

    Raises:
        ContentStoreError: the file is a ledger or another program's, or cannot be written.
    """

    def __init__(
        self,
        path: str | PathLike[str],
        *,
        max_bytes: int = MAX_BYTES,
        keep: timedelta = KEEP,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if keep <= timedelta(0):
            raise ContentStoreError("Content that is kept for no time is not kept: give keep days.")
        self._max_bytes = check_max_bytes(max_bytes)
        self._keep = keep
        self._clock = clock
        self._path = Path(path).expanduser()
        self._lock = threading.Lock()
        self._connection = opened(self._path)
        with self._writing():
            self._make_room(0)
        wait_less(self._connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; later calls raise `ContentStoreError`, but a second `close`."""
        with self._lock, sqlite_errors(self._path):
            self._connection.close()

    def put(self, text: str, *, tool: str | None = None, subject: str | None = None) -> str:
        """Keep a text; its handle.

        Raises:
            ContentStoreError: the text alone is larger than `max_bytes`, or cannot be written.
        """
        data = encoded(text)
        check_size(data, self._max_bytes)
        with self._writing():
            handle, is_kept = self._handle(data)
            if not is_kept:
                self._make_room(len(data))
            self._connection.execute(
                "INSERT INTO contents (handle, size, used_at, tool, subject, text)"
                " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (handle) DO UPDATE SET"
                " used_at = max(used_at, excluded.used_at),"
                " tool = excluded.tool, subject = excluded.subject",
                (handle, len(data), self._now(), _name(tool), _name(subject), data),
            )
        return handle

    def get(self, handle: str) -> StoredContent | None:
        """The text of a handle; `None` where it is not kept (any more).

        Raises:
            ContentStoreError: the file cannot be read.
        """
        if handle_in(handle) != handle:
            return None
        with self._lock, sqlite_errors(self._path):
            row = self._connection.execute(
                "SELECT tool, subject, text, used_at FROM contents"
                " WHERE handle = ? AND used_at >= ?",
                (handle, self._now() - _ms(self._keep)),
            ).fetchone()
            if row is None:
                return None
            if row[3] < self._now() - _FRESH_MS:
                self._touch(handle)
        return StoredContent(handle, decoded(row[2]), row[0], row[1])

    def delete(self, handle: str) -> bool:
        """Forget a text; whether it was kept.

        Raises:
            ContentStoreError: the file cannot be written.
        """
        if handle_in(handle) != handle:
            return False
        with self._writing():
            gone = self._connection.execute("DELETE FROM contents WHERE handle = ?", (handle,))
        return gone.rowcount > 0

    def clear(self) -> None:
        """Forget everything, and give the room on disk back.

        Raises:
            ContentStoreError: the file cannot be written.
        """
        with self._writing():
            self._connection.execute("DELETE FROM contents")
        # Another process that reads may hold this up: then the room is used again later.
        with self._lock, suppress(sqlite3.OperationalError):
            self._connection.execute("VACUUM")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def expire(self, older_than: timedelta) -> int:
        """Forget what was neither put nor got for longer than this; how many texts that were.
        What is older than `keep` is forgotten without being asked.

        Raises:
            ContentStoreError: the file cannot be written.
        """
        with self._writing():
            return self._expire(older_than)

    def _handle(self, data: bytes) -> tuple[str, bool]:
        """The handle of a text, and whether it is kept already."""
        for handle in handles_of(data):
            row = self._connection.execute(
                "SELECT size = ? AND text = ? FROM contents WHERE handle = ?",
                (len(data), data, handle),
            ).fetchone()
            if row is None or row[0]:
                return handle, row is not None
        raise ContentStoreError("Two texts have one SHA-256: keep this one in the conversation.")

    def _expire(self, older_than: timedelta) -> int:
        limit = self._now() - _ms(older_than)
        gone = self._connection.execute("DELETE FROM contents WHERE used_at < ?", (limit,))
        return gone.rowcount

    def _make_room(self, size: int) -> None:
        """Forget what expired, then what was used longest ago, until `size` bytes have room."""
        self._expire(self._keep)
        (total,) = self._connection.execute("SELECT total FROM sizes").fetchone()
        while total + size > self._max_bytes:
            oldest = self._connection.execute(
                "SELECT handle, size FROM contents ORDER BY used_at LIMIT ?", (_AT_ONCE,)
            ).fetchall()
            if not oldest:
                return
            for handle, bytes_ in oldest:
                if total + size <= self._max_bytes:
                    return
                self._connection.execute("DELETE FROM contents WHERE handle = ?", (handle,))
                total -= bytes_

    def _touch(self, handle: str) -> None:
        """A use that cannot be written down, for a lock or a full disk, is no reason to fail."""
        with suppress(sqlite3.OperationalError):
            self._connection.execute(
                "UPDATE contents SET used_at = ? WHERE handle = ?", (self._now(), handle)
            )

    @contextmanager
    def _writing(self) -> Generator[None]:
        with self._lock, sqlite_errors(self._path), self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            yield

    def _now(self) -> int:
        return round(self._clock() * 1000)


def _ms(span: timedelta) -> int:
    return round(span.total_seconds() * 1000)


def _name(text: str | None) -> str | None:
    return None if text is None else one_line(text, _LONGEST_NAME)
