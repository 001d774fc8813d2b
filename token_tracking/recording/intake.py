"""Where sightings go first: to the spool, or into memory while that cannot be written."""

import logging
import threading
import time
from collections import deque
from pathlib import Path
from typing import Final

from token_tracking.recording.segments import encode
from token_tracking.recording.spool import Segment, Spool
from token_tracking.usage import UsageEvent

MOST_KEPT_BYTES: Final = 16 * 1024 * 1024
"""About 25,000 sightings are kept in memory while the disk takes none. Later ones are lost."""

_RETRY_SECONDS: Final = 1.0
_logger: Final = logging.getLogger(__name__)


class Intake:
    """Takes sightings from any thread.

    A finalizer that the garbage collector runs in the middle of a call may record too: so the lock
    is re-entrant, and what such a call brings is written by the call that it interrupted.

    `accepted` sightings are on disk or in memory; those `turned_away` never were; those `dropped`
    were in memory when it was closed.
    """

    def __init__(self, folder: Path) -> None:
        self._spool = Spool(folder)
        self._lock = threading.RLock()
        self._kept: deque[bytes] = deque()
        self._kept_bytes = 0
        self._is_writing = False
        self._retry_at = 0.0
        self.accepted = 0
        self.turned_away = 0
        self.dropped = 0
        self.problem: str | None = None

    def take(self, event: UsageEvent) -> None:
        """Write it to the spool before this returns, where that can be written."""
        try:
            line = encode(event)
        except (ValueError, TypeError) as error:
            self._turn_away(f"A message cannot be written down: {error}.")
            return
        with self._lock:
            if self._kept_bytes + len(line) > MOST_KEPT_BYTES:
                self._turn_away(self.problem or "")
                return
            self.accepted += 1
            self._kept.append(line)
            self._kept_bytes += len(line)
            self._write()

    def retry(self) -> None:
        """Try a disk that failed again at the next occasion, however soon that is."""
        with self._lock:
            if self._retry_at:
                self._retry_at = time.monotonic()

    def has_kept(self) -> bool:
        """Whether something is in memory only."""
        return bool(self._kept)

    def segments(self, *, up_to_now: bool) -> list[Segment]:
        """What is to be drained: with the one that is being written, or those before it."""
        with self._lock:
            self._write()
            if up_to_now:
                self._spool.rotate()
            return list(self._spool.closed)

    def let_go(self, segment: Segment) -> None:
        """It has been drained."""
        with self._lock:
            self._spool.closed.remove(segment)

    def close(self) -> None:
        """Let go of the spool. What it holds is drained by another process; what could not be
        written is lost."""
        with self._lock:
            self.retry()
            self._write()
            self._spool.close()
            if self._kept:
                _logger.error("%d messages are lost. %s", len(self._kept), self.problem)
                self.dropped += len(self._kept)
                self._kept.clear()
                self._kept_bytes = 0

    def leave_to_parent(self) -> None:
        """After a fork, in the child: what it holds is not ours to write."""
        self._spool.leave_to_parent()

    def _write(self) -> None:
        if self._is_writing or not self._kept or time.monotonic() < self._retry_at:
            return
        self._is_writing = True
        try:
            while self._kept:
                self._spool.append(self._kept[0])
                self._kept_bytes -= len(self._kept.popleft())
        except OSError as error:
            self._fail(error)
        else:
            if self._retry_at:
                self._retry_at = 0.0
                self.problem = None
        finally:
            self._is_writing = False

    def _fail(self, error: OSError) -> None:
        if not self._retry_at:
            _logger.warning("Messages are kept in memory: %s", error)
        self._retry_at = time.monotonic() + _RETRY_SECONDS
        self.problem = f"{self._spool.folder} cannot be written: {error.strerror or error}."

    def _turn_away(self, why: str) -> None:
        with self._lock:
            self.turned_away += 1
            if self.turned_away == 1:
                _logger.error("Messages are lost. %s", why)
            self.problem = why
