"""Writers of one file take turns.

SQLite waits for a lock by sleeping, up to 100 milliseconds at a time: of two processes that write
much, one starves. The operating system's file lock can be asked for every other millisecond, and
is gone with a process that is killed. It is a courtesy: correctness rests on SQLite's own lock.
"""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

if sys.platform != "win32":
    import fcntl

_LONGEST_SECONDS: Final = 10.0
"""After this a writer goes on without its turn: then SQLite decides."""
_POLL_SECONDS: Final = 0.002
"""A thread that blocked on the lock could not be called off, and would hold up the exit."""


class Turnstile:
    """A lock file beside the database. On Windows, SQLite's own waiting has to do."""

    def __init__(self, database: Path) -> None:
        self._file: int | None = None
        self._is_mine = False
        if sys.platform != "win32":
            with suppress(OSError):
                self._file = os.open(f"{database}.turn", os.O_RDWR | os.O_CREAT, 0o600)

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def is_taken(self) -> bool:
        """Whether another process has its turn."""
        if sys.platform == "win32" or self._file is None or self._is_mine:
            return False
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        _release(self._file)
        return False

    @asynccontextmanager
    async def turn(self) -> AsyncGenerator[None]:
        """Wait for one's turn; it ends with the context."""
        file = self._file
        locked = self._is_mine = file is not None and await _wait(file)
        try:
            yield
        finally:
            self._is_mine = False
            if file is not None and locked:
                _release(file)


async def _wait(file: int) -> bool:
    """Wait for the lock; whether it came in time."""
    if sys.platform == "win32":
        return False
    for _ in range(round(_LONGEST_SECONDS / _POLL_SECONDS)):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            await asyncio.sleep(_POLL_SECONDS)
        except OSError:
            return False
        else:
            return True
    return False


def _release(file: int) -> None:
    if sys.platform != "win32":
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_UN)
