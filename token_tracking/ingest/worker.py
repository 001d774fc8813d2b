"""A second process that ingests into the same database.

It takes portions as lines of JSON on its standard input and answers each with a line. Should it
fail or be killed, what it had not answered is done by the first process: ingesting twice is safe.
"""

import asyncio
import contextlib
import gc
import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from token_tracking.errors import TokenTrackingError
from token_tracking.ingest.portion import Portion, ingest_portions
from token_tracking.reading import FoundFile, stored_path
from token_tracking.store import TokenStore

_PACKAGES: Final = Path(__file__).parents[2]
_LINE_LIMIT: Final = 1 << 26


class WorkerError(Exception):
    """The other process is gone: what it was given and did not answer is still to do."""


class _Order(Struct):
    files: list[FoundFile]
    known: set[str]


class Worker:
    """The other process, as the first one sees it."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        stdin: asyncio.StreamWriter,
        stdout: asyncio.StreamReader,
    ) -> None:
        self._process = process
        self._stdin = stdin
        self._stdout = stdout

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
        assert process.stdin is not None
        assert process.stdout is not None
        return cls(process, process.stdin, process.stdout)

    async def give(self, files: Sequence[FoundFile], known: set[str]) -> None:
        """Have it ingest `files`, after what it was given before.

        Raises:
            WorkerError: it is gone.
        """
        paths = {stored_path(file.path) for file in files}
        await self._send(_Order(list(files), known & paths))

    async def finish(self) -> None:
        """Tell it that there is no more: it saves what it has, and answers for it.

        Raises:
            WorkerError: it is gone.
        """
        await self._send(None)

    async def _send(self, order: "_Order | None") -> None:
        try:
            self._stdin.write(msgspec.json.encode(order) + b"\n")
            await self._stdin.drain()
        except OSError as error:
            raise WorkerError from error

    async def answer(self) -> Portion:
        """What the first portion that it has not answered yet brought.

        Raises:
            WorkerError: it is gone.
        """
        try:
            return msgspec.json.decode(await self._stdout.readline(), type=Portion)
        except (OSError, ValueError, msgspec.DecodeError) as error:
            raise WorkerError from error

    async def stop(self) -> None:
        """End it, and wait until it is gone."""
        self._stdin.close()
        with contextlib.suppress(ProcessLookupError):
            if self._process.returncode is None:
                self._process.terminate()
        await self._process.wait()


async def _serve(database: str, user_prices: str) -> None:
    orders: asyncio.Queue[_Order | None] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    known: set[str] = set()

    def listen() -> None:
        decode = msgspec.json.Decoder(_Order | None).decode
        for line in sys.stdin.buffer:
            loop.call_soon_threadsafe(orders.put_nowait, decode(line))
        # The first process is done with this one, or dead: what is under way is rolled back.
        os._exit(0)

    async def take() -> list[FoundFile] | None:
        order = await orders.get()
        if order is None:
            return None
        known.update(order.known)
        return order.files

    async with TokenStore.opened(database, user_prices=user_prices or None) as store:
        threading.Thread(target=listen, daemon=True).start()
        await ingest_portions(store, known, take, _answer)


def _answer(portion: Portion) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(portion) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    gc.disable()
    try:
        asyncio.run(_serve(*sys.argv[1:3]))
    except TokenTrackingError:
        sys.exit(1)
