"""Requests of one session take turns."""

import asyncio
from collections.abc import Callable
from functools import partial

from msgspec import Struct


class _Line(Struct):
    lock: asyncio.Lock
    requests: int = 0


class Turns:
    """First come, first served, each name by itself."""

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}

    async def take(self, name: str) -> Callable[[], None]:
        """Wait for one's turn; call what is returned, once, when it is over."""
        line = self._lines.setdefault(name, _Line(asyncio.Lock()))
        line.requests += 1
        try:
            await line.lock.acquire()
        except BaseException:
            self._leave(name, line)
            raise
        return partial(self._end, name, line)

    def _end(self, name: str, line: _Line) -> None:
        line.lock.release()
        self._leave(name, line)

    def _leave(self, name: str, line: _Line) -> None:
        line.requests -= 1
        if not line.requests:
            del self._lines[name]
