"""The content library, as conversations search it."""

import asyncio
from contextlib import AsyncExitStack
from typing import Final

from token_tracking.window import Document
from token_tracking.window.documents import tagged
from token_tracking_server.content.library import Library
from token_tracking_server.content.window_documents import LibraryDocuments
from token_tracking_server.settings import Settings


class Sources:
    """The library of the settings, for the agents of one gateway: it is opened by the first search,
    watched from then on, and closed by `at_end`."""

    def __init__(self, settings: Settings, at_end: AsyncExitStack) -> None:
        self._settings = settings
        self._at_end = at_end
        self._library: Library | None = None
        self._by_category: dict[str | None, LibraryDocuments] = {}

    async def search(self, category: str | None, query: str, max_tokens: int) -> list[Document]:
        """Documents of a category (of all, by default) for a question, the best first.

        Raises:
            ContentError: the library cannot be searched, or has no such category.
        """
        library = self._library or self._open()
        if category not in self._by_category:
            self._by_category[category] = LibraryDocuments(library, category=category)
        return await self._by_category[category].search(query, max_tokens)

    def _open(self) -> Library:
        library = Library(self._settings.library_folders(), self._settings.catalog_folder())
        stop = asyncio.Event()
        watching = asyncio.create_task(library.watch(stop), name="watch the library")

        async def close() -> None:
            stop.set()
            await watching
            await library.close()

        self._at_end.push_async_callback(close)
        self._library = library
        return library


class Searched:
    """What one question found: a source of documents for the window manager that remembers where
    they stand."""

    def __init__(self, sources: Sources, category: str | None) -> None:
        self._sources = sources
        self._category = category
        self._found: Final[list[Document]] = []

    async def search(self, query: str, max_tokens: int) -> list[Document]:
        """As `Sources.search`."""
        found = await self._sources.search(self._category, query, max_tokens)
        self._found.extend(found)
        return found

    def used_in(self, text: str) -> list[str]:
        """The addresses of the documents that a message carries."""
        used = [each for each in self._found if each.uri and _opening(each) in text]
        return list(dict.fromkeys(each.uri for each in used if each.uri))


def _opening(document: Document) -> str:
    """The tag that it begins with."""
    return tagged(document, "").partition("\n")[0]
