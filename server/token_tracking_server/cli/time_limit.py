"""A time after which a command ends as if it had been told to."""

import os
import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def time_limit(minutes: float) -> Generator[None]:
    """Sends this process the signal to end after that time."""
    timer = threading.Timer(minutes * 60, os.kill, (os.getpid(), signal.SIGTERM))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
