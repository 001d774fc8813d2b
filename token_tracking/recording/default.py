"""The recorder that a process shares."""

import atexit
import os
import sys
import threading
from typing import Final

from token_tracking.location import default_prices
from token_tracking.recording.recorder import Recorder

_EXIT_SECONDS: Final = 5.0
_opening: Final = threading.Lock()
_opened: Final[list[Recorder]] = []


def default_recorder() -> Recorder:
    """The process's recorder into the default ledger, opened at first use, with the user's prices
    (`TOKEN_TRACKING_DB`, `TOKEN_TRACKING_PRICES`). At the program's end it is drained for at most
    five seconds.

    Raises:
        StoreError: `TOKEN_TRACKING_DB` is no path or URL of a ledger.
    """
    with _opening:
        if not _opened:
            recorder = Recorder.open(user_prices=default_prices(os.environ))
            _opened.append(recorder)
            atexit.register(recorder.close, _EXIT_SECONDS)
            threading.Thread(target=_flush_at_the_end, args=(recorder,)).start()
        return _opened[0]


def _flush_at_the_end(recorder: Recorder) -> None:
    """From Python 3.12 on, `atexit` comes too late for a connection's thread to be started."""
    threading.main_thread().join()
    recorder.flush(_EXIT_SECONDS)


if sys.platform != "win32":
    # A child that is forked while another thread opens it would wait for ever.
    os.register_at_fork(
        before=_opening.acquire, after_in_parent=_opening.release, after_in_child=_opening.release
    )
