"""A second process that ingests into the same database.

It takes portions as lines of JSON on its standard input and answers each with a line. Should it
fail or be killed, what it had not answered is done by the first process: ingesting twice is safe.
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from token_tracking.errors import TokenTrackingError
from token_tracking.ingest.portion import Portion, ingest_portion
from token_tracking.reading import FoundFile
from token_tracking.store import TokenStore

_PACKAGES: Final = Path(__file__).parents[2]
_LINE_LIMIT: Final = 1 << 26


class _Order(Struct):
    files: list[FoundFile]
    known: set[str]


class Worker:
    """The other process, as the first one sees it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, store: TokenStore) -> "Worker":
        """Start it on the database of `store`."""
        path = os.pathsep.join([str(_PACKAGES), *filter(None, [os.environ.get("PYTHONPATH")])])
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "token_tracking.ingest.worker",
            str(store.location),
            str(store.user_prices or ""),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path},
            limit=_LINE_LIMIT,
        )
        return cls(process)

    async def ingest(self, files: Sequence[FoundFile], known: set[str]) -> Portion | None:
        """Have it ingest `files`; `None` where it failed."""
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            return None
        paths = {file.path for file in files}
        order = _Order(list(files), known & paths)
        with contextlib.suppress(OSError, ValueError, msgspec.DecodeError):
            stdin.write(msgspec.json.encode(order) + b"\n")
            await stdin.drain()
            if line := await stdout.readline():
                return msgspec.json.decode(line, type=Portion)
        return None

    async def stop(self) -> None:
        """End it, and wait until it is gone."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        with contextlib.suppress(ProcessLookupError):
            if self._process.returncode is None:
                self._process.terminate()
        await self._process.wait()


async def _serve(database: str, user_prices: str) -> None:
    decode = msgspec.json.Decoder(_Order).decode
    async with TokenStore.opened(database, user_prices=user_prices or None) as store:
        while line := await asyncio.to_thread(sys.stdin.buffer.readline):
            order = decode(line)
            portion = await ingest_portion(store, order.files, order.known)
            sys.stdout.buffer.write(msgspec.json.encode(portion) + b"\n")
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    try:
        asyncio.run(_serve(*sys.argv[1:3]))
    except TokenTrackingError:
        sys.exit(1)
