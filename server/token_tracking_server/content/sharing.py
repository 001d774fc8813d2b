"""The work of a first index, shared with a second process."""

import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Sequence
from typing import Final

from token_tracking_server.content.preparing import Prepared, Preparer
from token_tracking_server.content.roots import FoundFile, Roots
from token_tracking_server.content.second_process import SecondProcess, SecondProcessError

BATCH: Final = 128
"""Files a transaction: others read between two of them."""

_WORTH_A_PROCESS: Final = 500
"""Files. A second process takes half a second to start, in which one prepares some 300."""


def prepared(
    preparer: Preparer, roots: Roots, files: Sequence[FoundFile], *, alone: bool
) -> Generator[list[Prepared]]:
    """The files in batches, in any order. Unless `alone`, a second process prepares some of them
    where they are many."""
    batches = deque(files[at : at + BATCH] for at in range(0, len(files), BATCH))
    if alone or len(files) < _WORTH_A_PROCESS:
        for batch in batches:
            yield preparer.prepare(batch)
        return
    with_other = _Shared(batches, lambda: SecondProcess(roots))
    try:
        yield from with_other.run(preparer)
    finally:
        with_other.stop()


class _Shared:
    """Batches taken from both ends: by this thread, and by one that hands them to the other
    process."""

    def __init__(
        self, batches: deque[Sequence[FoundFile]], start: Callable[[], SecondProcess]
    ) -> None:
        self._batches = batches
        self._ready: queue.SimpleQueue[list[Prepared] | None] = queue.SimpleQueue()
        self._process = start()
        self._thread = threading.Thread(target=self._hand_over, name="library-second-process")
        self._thread.start()

    def run(self, preparer: Preparer) -> Generator[list[Prepared]]:
        """Every batch, whoever prepared it."""
        handing_over = True
        while True:
            try:
                # What the other process did waits in memory: it goes first.
                batch = self._ready.get(block=not self._batches and handing_over)
            except queue.Empty:
                if not self._batches:
                    return
                yield preparer.prepare(self._batches.popleft())
                continue
            if batch is None:
                handing_over = False
            else:
                yield batch

    def _hand_over(self) -> None:
        try:
            while True:
                batch = self._batches.pop()
                try:
                    self._ready.put(self._process.prepare(batch))
                except SecondProcessError:
                    self._batches.append(batch)
                    return
        except IndexError:
            return
        finally:
            self._ready.put(None)

    def stop(self) -> None:
        """End the process, and with it the thread that waits for it."""
        self._batches.clear()
        self._process.stop()
        self._thread.join()
