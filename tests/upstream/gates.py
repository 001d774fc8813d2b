"""Where an answer waits until a test lets it go on: delays without sleeping."""

import asyncio
import threading

_TIMEOUT_SECONDS = 20


class Gate:
    """Holds an answer before its event number `before` (0 is the first: the headers are sent), or,
    where that is None, before its headers. A test waits until it is `reached`, and opens it."""

    def __init__(self, before: int | None = 0) -> None:
        self.before = before
        self.reached = threading.Event()
        self._lock = threading.Lock()
        self._is_open = False
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    def open(self) -> None:
        """Let the answer go on."""
        with self._lock:
            self._is_open = True
            waiting, self._waiting = self._waiting, []
        for loop, opened in waiting:
            loop.call_soon_threadsafe(opened.set)

    async def passed(self) -> None:
        """Wait here until the gate is open. Raises `TimeoutError` where no test opens it."""
        opened = asyncio.Event()
        with self._lock:
            if not self._is_open:
                self._waiting.append((asyncio.get_running_loop(), opened))
            else:
                opened.set()
        self.reached.set()
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            await opened.wait()

    async def reached_soon(self) -> None:
        """`reached`, for an asynchronous test. Raises `TimeoutError`."""
        reached = await asyncio.to_thread(self.reached.wait, _TIMEOUT_SECONDS)
        if not reached:
            raise TimeoutError("the answer never came to its gate")
