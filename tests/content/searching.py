"""A search index in memory, and documents to put into it."""

import sqlite3
from collections.abc import Mapping

from token_tracking_server.content.documents import Document, parse_document
from token_tracking_server.content.search import Hit, Indexed, Indexer, SearchIndex

LIBRARY = {
    "guides/caching": "# Prompt caching\n\nA cached prefix is read for less.\n\n"
    "## Break-even\n\nA write costs more than a read: when does it pay off?\n\n"
    "## Lapses\n\nAfter five minutes of silence the prefix is gone.\n",
    "guides/rate-limits": "# Rate limits\n\nRequests are refused with status 429.\n\n"
    "## Retries\n\nWait as long as the retry-after header says, then send the request again.\n",
    "agents/reviewer": "---\nname: reviewer\ndescription: Reviews pull requests for defects.\n"
    "tags: [quality]\n---\n# Reviewer\n\nRead the diff before you comment.\n",
    "agents/migrations": "# Database migrations\n\nNever drop a column in the release that stops "
    "using it.\n\n## Rollback\n\nEvery migration has a way back.\n",
    "skills/pdf/SKILL": "---\nname: pdf\ndescription: Fill in forms and extract tables.\n---\n"
    "# PDF files\n\nCall `countTokens` and extract_tables on every page.\n",
}


def document(uri: str, text: str) -> Document:
    """A document by `category/id`."""
    category, _, document_id = uri.partition("/")
    return parse_document(category, document_id, text)


class Searched:
    """An index over documents that are named by `category/id`."""

    def __init__(self, library: Mapping[str, str] = LIBRARY) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        self.index = SearchIndex(self.connection)
        self.index.create()
        self.uris: list[str] = []
        for uri, text in library.items():
            self.add(uri, text)

    def add(self, uri: str, text: str) -> int:
        """Add a document. Returns its number."""
        self.uris.append(uri)
        self.index.add(len(self.uris), indexed(uri, text))
        return len(self.uris)

    def hits(self, query: str, category: str | None = None, limit: int = 10) -> list[Hit]:
        """What a search finds."""
        return self.index.search(query, category=category, limit=limit)

    def found(self, query: str, category: str | None = None, limit: int = 10) -> list[str]:
        """The documents that a search finds."""
        return [self.uris[hit.number - 1] for hit in self.hits(query, category, limit)]


_INDEXER = Indexer()


def indexed(uri: str, text: str) -> Indexed:
    """A document as the index stores it."""
    return _INDEXER.prepare(document(uri, text))
