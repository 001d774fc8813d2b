"""The library as a source of documents for the window manager."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final, Self

from msgspec import structs

from token_tracking.window import Document
from token_tracking.window.documents import LEAST_TOKENS, tagged
from token_tracking.window.excerpts import head_and_tail, matching
from token_tracking_server.content.catalog import Catalog, Found
from token_tracking_server.content.documents import Document as LibraryDocument
from token_tracking_server.content.errors import ContentError, UnknownContentError
from token_tracking_server.content.library import Library
from token_tracking_server.content.loading import Loading, Wanted
from token_tracking_server.content.roots import shown
from token_tracking_server.content.uris import Address
from token_tracking_server.settings import Settings
from token_tracking_server.sizes import Sizes

MOST: Final = 5
"""Documents of one search: as many as `search_content` names where it is not told."""

_PATIENCE_SECONDS: Final = 3.0
"""For the first look at the folders: a window waits 5 seconds for its documents."""

_SEAM_TOKENS: Final = 4
"""A text between its tags may have a few tokens more than both by themselves."""


class LibraryDocuments:
    """Searches an open library for the documents of a request, as a `DocumentSource`: of each of
    the `most` documents that match best the section that does. Whoever opened the library closes
    it. `category` has only its documents searched; `sizes` counts their tokens, by default as the
    newest Claude models do, which have the most."""

    def __init__(
        self,
        library: Library,
        *,
        category: str | None = None,
        most: int = MOST,
        sizes: Sizes | None = None,
    ) -> None:
        self._library = library
        self._category = category
        self._most = most
        self._sizes = sizes or Sizes()

    @classmethod
    @asynccontextmanager
    async def opened(
        cls,
        *folders: str | Path,
        catalogs: Path | None = None,
        category: str | None = None,
        most: int = MOST,
    ) -> AsyncGenerator[Self]:
        """Over folders of Markdown and skills, by default those of the server. They are read
        before the first search, unless nothing changed since, and watched until the end.
        `catalogs` is the folder of the index, by default the one beside the ledger.

        Raises:
            ContentError: the index cannot be used.
        """
        settings = Settings.from_environment()
        library = Library(
            [Path(each) for each in folders] or settings.library_folders(),
            catalogs or settings.catalog_folder(),
        )
        try:
            await library.ask(lambda _: None, patience=None)
            async with _watched(library):
                yield cls(library, category=category, most=most)
        finally:
            await library.close()

    async def search(self, query: str, max_tokens: int) -> list[Document]:
        """The best sections, the best first, with what stands below them; together, in the tags
        that they are sent in, no more than `max_tokens`. One that does not fit gives the sections
        it begins with; if none fits, the best gives the lines that match. The score is 1 for the
        best document, 1/2 for the second, and so on: ranks of a search, not of all there is.

        Raises:
            ContentError: there is no such category, a folder is missing and nothing was found, or
                the index cannot be used.
        """
        found = await self._library.ask(
            lambda catalog: self._searched(catalog, query), patience=_PATIENCE_SECONDS
        )
        chosen: list[tuple[Document, int]] = []
        for rank, each in enumerate(found, start=1):
            room = max_tokens - sum(tokens for _, tokens in chosen)
            chosen += await self._loaded(each, room, partial(self._section, rank))
        if found and not chosen:
            chosen = await self._loaded(found[0], max_tokens, partial(self._excerpt, query))
        return [document for document, _ in chosen]

    def _searched(self, catalog: Catalog, query: str) -> list[Found]:
        found = catalog.search(query, self._category, self._most)
        missing = [] if found else catalog.missing_roots()
        for each in missing:
            folder = shown(str(self._library.roots.folders[each.root]))
            raise UnknownContentError(f"The library's folder {folder}: {each.reason}.")
        return found

    async def _loaded(
        self, found: Found, room: int, take: Callable[[Found, LibraryDocument, int], Document]
    ) -> list[tuple[Document, int]]:
        """What `take` makes of a document in this room, with its tokens; nothing where it changed
        or went since the search, or does not fit."""
        if room < LEAST_TOKENS:
            return []
        try:
            found, document = await self._read(found)
            taken = await asyncio.to_thread(self._sized, take, found, document, room)
        except ContentError:
            return []
        return [taken] if taken[0].text.strip() and taken[1] <= room else []

    async def _read(self, found: Found) -> tuple[Found, LibraryDocument]:
        """What was found as it is now."""
        address = Address(found.entry.category, found.entry.document_id)
        entry, document = await self._library.read(address)
        piece = entry.section_of(found.entry.pieces[found.piece].anchor)
        if piece is None:
            raise UnknownContentError(f"{found.uri} is not there any more.")
        return structs.replace(found, entry=entry, piece=piece), document

    def _sized(
        self,
        take: Callable[[Found, LibraryDocument, int], Document],
        found: Found,
        document: LibraryDocument,
        room: int,
    ) -> tuple[Document, int]:
        taken = take(found, document, room - self._size(_document(found, "")) - _SEAM_TOKENS)
        return taken, self._size(taken)

    def _section(self, rank: int, found: Found, document: LibraryDocument, room: int) -> Document:
        """As much of a section as `load_content` sends."""
        wanted = _wanted(found, document)
        Loading(
            wanted=[wanted],
            errors=[],
            budget=room,
            count=self._sizes.count,
            scale=self._sizes.scale,
            listed=0,
        ).choose()
        return _document(found, wanted.text(), 1 / rank)

    def _excerpt(self, query: str, found: Found, document: LibraryDocument, room: int) -> Document:
        """The lines of a section that match, where not even its beginning fits."""
        text = document.own_text(document.sections[found.piece])
        count = self._sizes.count
        excerpt = matching(text, query, room, count) or head_and_tail(text, room, count)
        return _document(found, excerpt.text)

    def _size(self, document: Document) -> int:
        """With its tags, and the line end behind them."""
        return self._sizes.count(tagged(document) + "\n")


@asynccontextmanager
async def _watched(library: Library) -> AsyncGenerator[None]:
    stop = asyncio.Event()
    watching = asyncio.create_task(library.watch(stop))
    try:
        yield
    finally:
        stop.set()
        await watching


def _wanted(found: Found, document: LibraryDocument) -> Wanted:
    entry, piece = found.entry, found.piece
    anchor = "" if found.is_whole else entry.pieces[piece].anchor
    return Wanted(entry=entry, document=document, anchor=anchor, pieces=entry.extent(piece))


def _document(found: Found, text: str, score: float = 1.0) -> Document:
    return Document(text=text, title=found.titles, uri=found.uri, score=score)
