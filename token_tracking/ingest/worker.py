"""A second process that ingests into the same database (`__main__`), as the first one sees it.

It takes portions as lines of JSON on its standard input and answers each with a line. Should it
fail or be killed, what it had not answered is done by the first process: ingesting twice is safe.
"""

import os
from collections.abc import Sequence

import msgspec
from msgspec import Struct

from token_tracking.child_process import ChildProcess
from token_tracking.ingest.portion import Portion
from token_tracking.reading import FoundFile, stored_path
from token_tracking.store import TokenStore


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

    def __init__(self, child: ChildProcess) -> None:
        self._child = child

    @classmethod
    async def start(cls, store: TokenStore) -> "Worker":
        """Start it on the database of `store`."""
        location, prices = str(store.location), str(store.user_prices or "")
        return cls(await ChildProcess.start("token_tracking.ingest", location, prices))

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
            await self._child.write_line(msgspec.json.encode(order))
        except OSError as error:
            raise WorkerError from error

    async def answer(self) -> Portion:
        """What the first portion that it has not answered yet brought.

        Raises:
            WorkerError: it is gone.
        """
        try:
            return msgspec.json.decode(await self._child.read_line(), type=Portion)
        except (OSError, ValueError, msgspec.DecodeError) as error:
            raise WorkerError from error

    async def stop(self) -> None:
        """End it, and wait until it is gone."""
        await self._child.stop()
