"""The thread that drains what a process records."""

import logging
import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Final

from token_tracking.errors import TokenTrackingError
from token_tracking.recording.drains import Drain
from token_tracking.recording.intake import Intake
from token_tracking.recording.spool import Segment
from token_tracking.recording.values import Drained

_GATHER_SECONDS: Final = 0.25
_LONGEST_SECONDS: Final = 5.0
_PAUSE_SHARE: Final = 3
"""It pauses three times as long as it saved: at most a quarter of a core, however much comes."""
_LAST_SECONDS: Final = 1.0

_logger: Final = logging.getLogger(__name__)


class Drainer:
    """Drains an intake once something was recorded, and then again while more comes.

    `drained` is what it brought into the ledger; `vanished` sightings were in files that others
    deleted. `problem` says why something waits.
    """

    def __init__(self, intake: Intake, make_drain: Callable[[], Drain]) -> None:
        self._intake = intake
        self._make_drain = make_drain
        self._drain: Drain | None = None
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        # The one way of waking a thread that a finalizer may use at any time.
        self._wake: SimpleQueue[bool] = SimpleQueue()
        self._is_awake = False
        self._is_closing = False
        self._has_leftovers = True
        self._progress = threading.Condition()
        self.done = 0
        self.vanished = 0
        self.drained = Drained()
        self.problem: str | None = None

    def wake(self) -> None:
        """Something was recorded."""
        if not self._is_awake and not self._is_closing:
            self._is_awake = True
            self._wake.put(False)
            self._start()

    def wait(self, target: int, timeout: float) -> bool:
        """Drain at once, until `target` sightings are done with; whether they are."""
        self._wake.put(True)
        with self._progress:
            return self._progress.wait_for(lambda: self.done >= target, timeout)

    def close(self, timeout: float) -> None:
        """Drain once more, and end: within `timeout` seconds, and one more."""
        self._is_closing = True
        self._wake.put(True)
        thread = self._thread
        if thread is None:
            return
        thread.join(timeout)
        if thread.is_alive() and self._drain is not None:
            self._drain.abandon()
            thread.join(_LAST_SECONDS)

    def leave_to_parent(self) -> None:
        """After a fork, in the child: the thread is not here, nor is the ledger ours to close."""
        if self._drain is not None:
            self._drain.leave_to_parent()
            _of_parents.append(self._drain)

    def _start(self) -> None:
        if self._thread is not None or not self._starting.acquire(blocking=False):
            return
        try:
            if self._thread is None:
                # A daemon, as is its connection's: a program that ends need not wait for either.
                thread = threading.Thread(target=self._run, name="token-tracking", daemon=True)
                thread.start()
                self._thread = thread
        except RuntimeError as error:
            self._fail(f"No thread can be started: {error}.")
        finally:
            self._starting.release()

    def _run(self) -> None:
        drain = self._drain = self._make_drain()
        pause = _GATHER_SECONDS
        is_last = False
        while not is_last:
            self._gather(pause)
            self._is_awake, is_last = False, self._is_closing
            began = time.monotonic()
            if self._round(drain):
                pause = max(_GATHER_SECONDS, _PAUSE_SHARE * (time.monotonic() - began))
            else:
                pause *= 2
                self._wake.put(False)
            pause = min(pause, _LONGEST_SECONDS)
        drain.close()
        self._drain = None

    def _gather(self, pause: float) -> None:
        """Until something was recorded, and then for a while, unless someone waits."""
        is_urgent = self._wake.get()
        until = time.monotonic() + pause
        while not is_urgent and (left := until - time.monotonic()) > 0:
            try:
                is_urgent = self._wake.get(timeout=left)
            except Empty:
                return

    def _round(self, drain: Drain) -> bool:
        """Drain all there is; whether nothing is left of it."""
        try:
            if self._has_leftovers:
                drain.take(None)
                self._has_leftovers = False
            # Where the ledger takes none, what comes gathers in one segment.
            for up_to_now in (False, True):
                for segment in self._intake.segments(up_to_now=up_to_now):
                    self._settle(segment, drain.take(segment.path))
        except (TokenTrackingError, OSError) as error:
            self._fail(str(error))
            return False
        except Exception as error:
            # The outermost edge: a fault of ours is told, and the program goes on.
            if _is_ending(error):
                self._fail("The program ended before it was saved.")
                return False
            _logger.exception("What was recorded could not be saved")
            self._fail("A fault in token-tracking, which stands in the log.")
            return False
        self.problem = None
        return not self._intake.has_kept()

    def _settle(self, segment: Segment, drained: Drained) -> None:
        self._intake.let_go(segment)
        with self._progress:
            self.drained += drained
            self.vanished += max(0, segment.records - drained.events - drained.refused)
            self.done += segment.records
            self._progress.notify_all()

    def _fail(self, problem: str) -> None:
        if self.problem is None:
            _logger.warning("What was recorded waits on disk: %s", problem)
        self.problem = problem


def _is_ending(error: Exception) -> bool:
    """Python starts no thread any more: the program has ended."""
    return isinstance(error, RuntimeError) and "interpreter shutdown" in str(error)


_of_parents: Final[list[Drain]] = []
