"""The library: folders, the catalog of what they hold, and the documents themselves."""

import asyncio
import hashlib
import logging
import os
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

import msgspec

from token_tracking_server.content.catalog import Catalog
from token_tracking_server.content.catalog_file import (
    CatalogFile,
    catalog_path,
    connect,
    is_damage,
    open_catalog,
)
from token_tracking_server.content.documents import Document
from token_tracking_server.content.errors import ContentError, UnreadableContentError
from token_tracking_server.content.outline import Entry
from token_tracking_server.content.preparing import CountMany
from token_tracking_server.content.reading import parse_file
from token_tracking_server.content.roots import FoundFile, Roots, Visited, shown
from token_tracking_server.content.sync import Changes, Sync
from token_tracking_server.content.uris import Address
from token_tracking_server.content.watching import changes

PATIENCE_SECONDS: Final = 10.0
"""A question waits no longer for the folders to be looked at: it is answered from what is there."""

_logger: Final = logging.getLogger(__name__)
_Value = TypeVar("_Value")


class Indexing(NamedTuple):
    """How far a look at the folders is: files read, of those that changed."""

    done: int
    total: int


class _Closing(Exception):  # noqa: N818 (nothing went wrong)
    """The library is closed while its folders are looked at."""


class Library:
    """Folders of Markdown and skills. It opens at the first question, and keeps up with changes
    while `watch` runs. `count` counts the tokens of texts instead of o200k_base."""

    def __init__(
        self, folders: Sequence[Path], catalog_folder: Path, count: CountMany | None = None
    ) -> None:
        self.roots = Roots(folders)
        self.indexing: Indexing | None = None
        self.progress: Callable[[int, int], None] | None = None
        """Told of files read, of those to read, by the thread that reads them."""
        self.failure: str | None = None
        """Why the last look at the folders failed; what is known may be old."""
        self._path = catalog_path(catalog_folder, self.roots.folders)
        self._count = count
        self._asking = ThreadPoolExecutor(1, "library-asking")
        self._syncing = ThreadPoolExecutor(1, "library-syncing")
        self._opening = asyncio.Lock()
        self._catalog: Catalog | None = None
        self._file: CatalogFile | None = None
        self._sync: Sync | None = None
        self._connections: list[sqlite3.Connection] = []
        self._first: asyncio.Task[Changes] | None = None
        self._next: asyncio.Task[Changes] | None = None
        self._looks: set[asyncio.Task[Changes]] = set()
        self._looked = False
        self._damaged = False
        self._turn = asyncio.Lock()
        self._closing = False
        self._listeners: list[Callable[[Changes], None]] = []

    def on_change(self, listener: Callable[[Changes], None]) -> None:
        """Have it told what changed, each time that something did."""
        self._listeners.append(listener)

    async def ask(
        self, question: Callable[[Catalog], _Value], patience: float | None = PATIENCE_SECONDS
    ) -> _Value:
        """Put a question to the catalog, after a first look at the folders, or `patience` seconds
        of it (`None`: however long it takes).

        Raises:
            ContentError: the catalog cannot be read; or what the question raises.
        """
        try:
            return await self._answer(question, patience)
        except (sqlite3.Error, msgspec.DecodeError) as error:
            if not is_damage(error):
                raise self._unreadable(error) from error
            self._damaged = True
        try:
            return await self._answer(question, patience)
        except (sqlite3.Error, msgspec.DecodeError) as error:
            raise self._unreadable(error) from error

    async def _answer(
        self, question: Callable[[Catalog], _Value], patience: float | None
    ) -> _Value:
        catalog = await self._looked_at(patience)
        if self._damaged:
            catalog = await self._looked_at(patience)
        return await self._asked(lambda: question(catalog))

    async def _looked_at(self, patience: float | None) -> Catalog:
        catalog = await self._opened()
        if self._first is not None and not self._first.done():
            # Who is cancelled must not take the look from the others.
            await asyncio.wait({self._first}, timeout=patience)
        return catalog

    def _unreadable(self, error: Exception) -> ContentError:
        return ContentError(
            f"The library's catalog {self._path} cannot be read ({error}): delete it, and it is"
            " made anew."
        )

    async def read(self, address: Address) -> tuple[Entry, Document]:
        """A document as it is now, and what the catalog says of it.

        Raises:
            ContentError: there is no such document, or its file cannot be read.
        """
        for attempt in range(3):
            if attempt:
                # It changed, and nobody has seen that yet.
                await self.refresh()
            entry = await self.ask(lambda catalog: catalog.document(address))
            document = await self._asked(lambda entry=entry: self._read(entry))
            if document is not None:
                return entry, document
            if self._sync is not None:
                self._sync.distrust(entry.root, entry.path)
        raise UnreadableContentError(f"{address.uri} is being written: load it again.")

    async def refresh(self) -> Changes:
        """Look at the folders. Who asks while that is under way waits for the next look, as files
        may have changed since it began; all who wait share that one."""
        await self._opened()
        changed = await asyncio.shield(self._look())
        if self._damaged:
            await self._opened()
            changed = await asyncio.shield(self._look())
        return changed

    async def watch(self, stop: asyncio.Event) -> None:
        """Look whenever something changes, until `stop` is set."""
        await self._kept_up(self.ask(lambda _: None))
        async for _ in changes(self.roots, self._visited, stop):
            await self._kept_up(self.refresh())

    async def _kept_up(self, look: Awaitable[object]) -> None:
        try:
            await look
        except ContentError as error:
            _logger.warning("The library is not up to date: %s", error)

    def _visited(self) -> frozenset[Visited]:
        return frozenset() if self._sync is None else self._sync.visited

    async def close(self) -> None:
        """End what is under way; what was indexed stays. A question after it opens it again."""
        self._closing = True
        try:
            await asyncio.gather(*self._looks, return_exceptions=True)
            async with self._opening:
                await self._asked(self._close)
        finally:
            self._closing = False

    def _close(self) -> None:
        """Nothing may be looking; whoever asks comes before or after."""
        for connection in self._connections:
            connection.close()
        self._connections.clear()
        self._catalog = self._first = self._sync = None
        self._looked = False
        if self._file is not None:
            self._file.close()

    async def _opened(self) -> Catalog:
        async with self._opening:
            if self._damaged and self._catalog is not None:
                _logger.warning("The library's catalog is damaged: it is made anew")
                # A look takes this turn, and never waits for the opening.
                async with self._turn:
                    await self._asked(self._remove_damaged)
            if self._catalog is None:
                self._catalog = await self._asked(self._open)
            if not self._looked and (self._first is None or self._first.done()):
                self._first = self._look()
            return self._catalog

    def _remove_damaged(self) -> None:
        self._damaged = False
        if self._file is not None:
            self._file.remove()
        self._close()

    def _open(self) -> Catalog:
        try:
            self._file = open_catalog(self._path)
            reader, writer = connect(self._file.path), connect(self._file.path)
        except (sqlite3.Error, OSError) as error:
            raise self._unreadable(error) from error
        self._connections += [reader, writer]
        self._sync = Sync(writer, self.roots, self._count)
        return Catalog(reader)

    def _look(self) -> asyncio.Task[Changes]:
        if self._next is None:
            self._next = asyncio.create_task(self._run())
            self._looks.add(self._next)
            self._next.add_done_callback(self._looks.discard)
        return self._next

    async def _run(self) -> Changes:
        async with self._turn:
            self._next = None
            if self._sync is None or self._closing or self._damaged:
                return Changes()
            self.indexing = Indexing(0, 0)
            loop = asyncio.get_running_loop()
            try:
                changed = await loop.run_in_executor(self._syncing, self._sync.run, self._show)
            except _Closing:
                return Changes()
            except Exception as error:
                # Whatever it is, what is known can still be asked for, and the next look may work.
                self._damaged |= is_damage(error)
                self.failure = shown(f"{type(error).__name__}: {error}")
                _logger.warning("The library's folders cannot be looked at", exc_info=True)
                return Changes()
            finally:
                self.indexing = None
            self._looked = True
            self.failure = None
        if changed:
            for listener in self._listeners:
                listener(changed)
        return changed

    def _show(self, done: int, total: int) -> None:
        if self._closing:
            raise _Closing
        self.indexing = Indexing(done, total)
        if self.progress is not None:
            self.progress(done, total)

    async def _asked(self, question: Callable[[], _Value]) -> _Value:
        return await asyncio.get_running_loop().run_in_executor(self._asking, question)

    def _read(self, entry: Entry) -> Document | None:
        """`None` where the file is not the one that the catalog knows."""
        try:
            data = self.roots.read_bytes(entry.root, entry.path)
        except UnreadableContentError:
            if os.path.lexists(self.roots.folders[entry.root] / entry.path):
                raise
            return None
        if hashlib.sha256(data).digest() != entry.digest:
            return None
        file = FoundFile(entry.root, entry.path, len(data), 0, in_skill=False)
        return parse_file(self.roots, file, data)
