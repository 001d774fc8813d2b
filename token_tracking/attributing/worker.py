"""A second process that settles the same database (`__main__`), as the first one sees it.

It takes portions of sessions as lines of JSON on its standard input. Each time that it takes one it
says in a line what it saved since the last time. Should it fail or be killed, what it did not save
is still due, and what it saved is.
"""

import contextlib
from collections.abc import Sequence
from typing import Final

import msgspec

from token_tracking.attributing.settler import Settled
from token_tracking.child_process import ChildProcess
from token_tracking.store import Due, TokenStore

_PATIENCE_SECONDS: Final = 0.5
"""For one that was not told of an end: what it has not saved is still due."""


class SettlingProcess:
    """The other process."""

    def __init__(self, child: ChildProcess) -> None:
        self._child = child
        self._is_over = False

    @classmethod
    async def start(cls, store: TokenStore) -> "SettlingProcess":
        """Start it on the database of `store`."""
        location, prices = str(store.location), str(store.user_prices or "")
        return cls(await ChildProcess.start("token_tracking.attributing", location, prices))

    async def give(self, due: Sequence[Due] | None) -> None:
        """Have it settle sessions, after what it was given before; `None` is the end. If it is
        gone, nothing happens."""
        with contextlib.suppress(OSError):
            await self._child.write_line(msgspec.json.encode(due))

    async def answer(self) -> Settled | None:
        """What it saved until it took the next portion; `None` when it has ended."""
        try:
            line = await self._child.read_line()
            self._is_over = not line
            return msgspec.json.decode(line, type=Settled) if line else None
        except (OSError, ValueError, msgspec.DecodeError):
            return None

    async def stop(self) -> None:
        """End it where it does not end by itself, and wait until it is gone."""
        if self._is_over:
            await self._child.stop()
        else:
            await self._child.stop(_PATIENCE_SECONDS)
