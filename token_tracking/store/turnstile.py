"""Writers of one file take turns.

SQLite waits for a lock by sleeping, up to 100 milliseconds at a time: of two processes that write
much, one starves. The operating system's file lock wakes the next one at once, and is gone with a
process that is killed. It is a courtesy: correctness rests on SQLite's own lock.
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


class Turnstile:
    """A lock file beside the database. On Windows, SQLite's own waiting has to do."""

    def __init__(self, database: Path) -> None:
        self._file: int | None = None
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
        if sys.platform == "win32" or self._file is None:
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
        if self._file is None:
            yield
            return
        with suppress(OSError):
            await _wait(self._file)
        try:
            yield
        finally:
            _release(self._file)


async def _wait(file: int) -> None:
    if sys.platform == "win32":
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        waiting = asyncio.ensure_future(asyncio.to_thread(fcntl.flock, file, fcntl.LOCK_EX))
        try:
            await asyncio.wait_for(asyncio.shield(waiting), _LONGEST_SECONDS)
        except BaseException as error:
            # The thread goes on waiting: what it gets is given back.
            waiting.add_done_callback(lambda _: _release(file))
            if not isinstance(error, TimeoutError):
                raise


def _release(file: int) -> None:
    if sys.platform != "win32":
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_UN)
