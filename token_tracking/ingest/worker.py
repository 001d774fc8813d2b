"""A second process that ingests into the same database (`__main__`), as the first one sees it.

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

from token_tracking.ingest.portion import Portion
from token_tracking.reading import FoundFile, stored_path
from token_tracking.store import TokenStore

_PACKAGES: Final = Path(__file__).parents[2]
_LINE_LIMIT: Final = 1 << 26
_PATIENCE_SECONDS: Final = 5.0


class WorkerError(Exception):
    """The other process is gone: what it was given and did not answer is still to do."""


class Order(Struct):
    """Files to ingest, and which of them the ledger has seen."""

    files: list[tuple[bytes, int, int, int]]
    known: set[str]

    @classmethod
    def of(cls, files: Sequence[FoundFile], known: set[str]) -> "Order":
        """Names that are no UTF-8 stay what they are: JSON carries bytes as base64."""
        paths = {stored_path(file.path) for file in files}
        named = [
            (os.fsencode(file.path), file.inode, file.modified_ns, file.size) for file in files
        ]
        return cls(named, known & paths)

    def found(self) -> list[FoundFile]:
        """The files again."""
        return [FoundFile(os.fsdecode(path), *state) for path, *state in self.files]


class Worker:
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

    @classmethod
    async def start(cls, store: TokenStore) -> "Worker":
        """Start it on the database of `store`."""
        path = os.pathsep.join([str(_PACKAGES), *filter(None, [os.environ.get("PYTHONPATH")])])
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # nothing is imported from the folder that we happen to stand in
            "-m",
            "token_tracking.ingest",
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
        await self._send(Order.of(files, known))

    async def finish(self) -> None:
        """Tell it that there is no more: it saves what it has, and answers for it.

        Raises:
            WorkerError: it is gone.
        """
        await self._send(None)

    async def _send(self, order: "Order | None") -> None:
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
        """End it, and wait until it is gone: it ends when its input does."""
        self._stdin.close()
        try:
            # A signal for a process that ends just now takes its exit code from who waits for it.
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self._process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
