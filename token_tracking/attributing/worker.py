"""A second process that settles the same database (`__main__`), as the first one sees it.

It takes portions of sessions as lines of JSON on its standard input. Each time that it takes one it
says in a line what it saved since the last time. Should it fail or be killed, what it did not save
is still due, and what it saved is.
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from token_tracking.attributing.settler import Settled
from token_tracking.store import Due, TokenStore

_PACKAGES: Final = Path(__file__).parents[2]
_LINE_LIMIT: Final = 1 << 26


class SettlingProcess:
    """The other process."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        stdin: asyncio.StreamWriter,
        stdout: asyncio.StreamReader,
    ) -> None:
        self._process = process
        self._stdin = stdin
        self._stdout = stdout
        self._is_over = False

    @classmethod
    async def start(cls, store: TokenStore) -> "SettlingProcess":
        """Start it on the database of `store`."""
        path = os.pathsep.join([str(_PACKAGES), *filter(None, [os.environ.get("PYTHONPATH")])])
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # nothing is imported from the folder that we happen to stand in
            "-m",
            "token_tracking.attributing",
            str(store.location),
            str(store.user_prices or ""),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path},
            limit=_LINE_LIMIT,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        return cls(process, process.stdin, process.stdout)

    async def give(self, due: Sequence[Due] | None) -> None:
        """Have it settle sessions, after what it was given before; `None` is the end. If it is
        gone, nothing happens."""
        with contextlib.suppress(OSError):
            self._stdin.write(msgspec.json.encode(due) + b"\n")
            await self._stdin.drain()

    async def answer(self) -> Settled | None:
        """What it saved until it took the next portion; `None` when it has ended."""
        try:
            line = await self._stdout.readline()
            self._is_over = not line
            return msgspec.json.decode(line, type=Settled) if line else None
        except (OSError, ValueError, msgspec.DecodeError):
            return None

    async def stop(self) -> None:
        """End it where it does not end by itself, and wait until it is gone."""
        self._stdin.close()
        # A signal for a process that ends just now takes its exit code from who waits for it.
        if not self._is_over and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
        await self._process.wait()
