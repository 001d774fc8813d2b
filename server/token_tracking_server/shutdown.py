"""The end of a server: asked for by a signal, the client or an error, and never waited for long."""

import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Final

GRACE_SECONDS: Final = 1.5
"""What is under way may take this long. A client that is quitting kills us after two seconds."""

SIGNALS: Final = tuple(
    getattr(signal, name)
    for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGBREAK")
    if hasattr(signal, name)
)


def end_quietly_while_starting() -> None:
    """A signal before there is anything to close ends the process at once."""

    def leave(number: int, frame: FrameType | None) -> None:
        os._exit(0)

    for number in SIGNALS:
        signal.signal(number, leave)


class Shutdown:
    """Calls `stop` once. Should the server not be gone soon after, the process ends regardless:
    the ledger is safe at any moment, and no thread may keep an orphan alive."""

    def __init__(self, stop: Callable[[], None], grace: float = GRACE_SECONDS) -> None:
        self._stop = stop
        self._grace = grace
        self._begun = threading.Event()

    def on_signals(self) -> None:
        """Have signals begin it."""
        for number in SIGNALS:
            signal.signal(number, self.handle)

    def handle(self, number: int, frame: FrameType | None) -> None:
        """A handler of signals."""
        self.begin()

    def begin(self) -> None:
        """Begin it, from any thread."""
        if self._begun.is_set():
            return
        self._begun.set()
        threading.Thread(target=self._end_regardless, name="shutdown", daemon=True).start()
        self._stop()

    def _end_regardless(self) -> None:
        time.sleep(self._grace)
        os._exit(0)
