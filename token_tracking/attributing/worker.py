"""A second process that settles the same database (`__main__`), as the first one sees it.

The two take sessions from the two ends of what is due, until they meet. Should it fail or be
killed, the first process settles what it left: nothing is counted twice.
"""

import asyncio
import contextlib
import os
import sys
from pathlib import Path
from typing import Final

from token_tracking.store import TokenStore

_PACKAGES: Final = Path(__file__).parents[2]


class SettlingProcess:
    """The other process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

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
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path},
        )
        return cls(process)

    async def answer(self) -> bytes:
        """What it settled, as JSON, when it has; nothing where it failed."""
        output, _ = await self._process.communicate()
        return output

    async def stop(self) -> None:
        """End it where it has not ended, and wait until it is gone."""
        with contextlib.suppress(ProcessLookupError):
            if self._process.returncode is None:
                self._process.terminate()
        await self._process.wait()
