"""What one process appends to its spool."""

import errno
import os
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from token_tracking.recording.segments import lock_path, new_owner, segment_path

if TYPE_CHECKING:
    from filelock import BaseFileLock

SEGMENT_BYTES: Final = 4 * 1024 * 1024
"""About 6,000 sightings, which a drain saves in one transaction."""

_FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)


class Segment(NamedTuple):
    """A file that no one appends to any more, and how many sightings it holds."""

    path: Path
    records: int


class Spool:
    """Appends lines. What a call returned from is in the system's hands: it outlives the process,
    however that ends. Not for several threads at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.closed: deque[Segment] = deque()
        self._owner = new_owner()
        self._lock: BaseFileLock | None = None
        self._number = 0
        self._file: int | None = None
        self._path = Path()
        self._size = 0
        self._records = 0

    def append(self, line: bytes) -> None:
        """Append a line with its end, all of it or nothing.

        Raises:
            OSError: it cannot be written.
        """
        file = self._open()
        written = os.write(file, line)
        if written < len(line):
            self._cut(file)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._size += written
        self._records += 1
        if self._size >= SEGMENT_BYTES:
            self.rotate()

    def rotate(self) -> None:
        """Begin another segment with the next line."""
        file, self._file = self._file, None
        if file is None:
            return
        self.closed.append(Segment(self._path, self._records))
        self._size = self._records = 0
        os.close(file)

    def close(self) -> None:
        """Let go of it. What it holds is for whoever drains it; a line that comes later begins anew
        under another name."""
        with suppress(OSError):
            self.rotate()
        lock, self._lock = self._lock, None
        if lock is None:
            return
        lock.release()
        if not self.closed:
            with suppress(OSError):
                lock_path(self.folder, self._owner).unlink()
        self._owner = new_owner()
        self._number = 0

    def leave_to_parent(self) -> None:
        """After a fork, in the child: `filelock` lets go of the lock here by itself."""
        if self._file is not None:
            with suppress(OSError):
                os.close(self._file)

    def _open(self) -> int:
        if self._file is None:
            self._hold()
            path = segment_path(self.folder, self._owner, self._number + 1)
            self._file = os.open(path, _FLAGS, 0o600)
            self._number += 1
            self._path = path
        return self._file

    def _hold(self) -> None:
        """Be known as alive, before the first segment is there."""
        if self._lock is not None:
            return
        from filelock import FileLock  # noqa: PLC0415 (only who records needs it)

        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = FileLock(lock_path(self.folder, self._owner), thread_local=False)
        lock.acquire(blocking=False)
        self._lock = lock

    def _cut(self, file: int) -> None:
        """Take half a line away again; where that fails, it stays the last of its segment."""
        try:
            os.ftruncate(file, self._size)
        except OSError:
            self.rotate()
