"""Transactions on one thread with one connection, so that the event loop never waits for a disk."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self, TypeVar

from token_tracking.limits.database import limits_errors, opened, writing

_Value = TypeVar("_Value")


class Transactions:
    """`limits.db`, written in the order of asking."""

    def __init__(self, path: Path, connection: sqlite3.Connection, thread: ThreadPoolExecutor):
        self._path = path
        self._connection = connection
        self._thread = thread

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Open the file, or make it.

        Raises:
            StoreError: it cannot be used.
        """
        thread = ThreadPoolExecutor(1, thread_name_prefix="limits")
        try:
            connection = await asyncio.get_running_loop().run_in_executor(thread, opened, path)
        except BaseException:
            thread.shutdown(wait=False)
            raise
        return cls(path, connection, thread)

    def run(self, work: Callable[[sqlite3.Connection], _Value]) -> "asyncio.Future[_Value]":
        """One transaction; the future raises `StoreError` where the file cannot be used."""
        return asyncio.get_running_loop().run_in_executor(self._thread, self._run, work)

    async def aclose(self) -> None:
        """Finish what was asked for, and close."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._connection.close)
        self._thread.shutdown(wait=False)

    def _run(self, work: Callable[[sqlite3.Connection], _Value]) -> _Value:
        with limits_errors(self._path), writing(self._connection):
            return work(self._connection)
