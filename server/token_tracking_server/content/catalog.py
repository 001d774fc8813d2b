"""Questions to the catalog, over a connection that only reads."""

import sqlite3
from pathlib import PurePosixPath
from typing import Any, Final, NamedTuple

from msgspec import Struct

from token_tracking_server.content.catalog_file import load_queries
from token_tracking_server.content.errors import UnknownContentError, UnreadableContentError
from token_tracking_server.content.names import nearest, one_line
from token_tracking_server.content.outline import Entry
from token_tracking_server.content.roots import LeftOut
from token_tracking_server.content.search import SearchIndex
from token_tracking_server.content.uris import Address

_COMPARED: Final = 5_000
_NEAREST: Final = 3
_NAMED: Final = 12
_LONGEST_TITLE: Final = 80


class Category(NamedTuple):
    """How many documents stand in a category, and their tokens by o200k_base."""

    name: str
    documents: int
    tokens: int


class Size(NamedTuple):
    """The library as a whole; the fingerprint changes when anything in it does."""

    documents: int
    tokens: int
    fingerprint: str


class Found(Struct, frozen=True, kw_only=True):
    """A document that matches, its best section, and the words that it matched."""

    entry: Entry
    piece: int
    matched: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        """Whether the section is all of the document."""
        return len(self.entry.extent(self.piece)) == len(self.entry.pieces)

    @property
    def uri(self) -> str:
        """Of the section, or of the document where that is the same."""
        return self.entry.uri if self.is_whole else self.entry.section_uri(self.piece)

    @property
    def tokens(self) -> int:
        """Of the section with those below it, by o200k_base."""
        return self.entry.tokens_of(self.entry.extent(self.piece))

    @property
    def titles(self) -> str:
        """The document's title, and those of the sections down to this one."""
        trail = [self.entry.title, *self.entry.trail(self.piece)]
        return " > ".join(dict.fromkeys(shortened(each) for each in trail if each))


def shortened(title: str) -> str:
    """A title of a length for lists."""
    return one_line(title, _LONGEST_TITLE)


class Catalog:
    """What the library holds."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._index = SearchIndex(connection)
        self._queries: Any = load_queries()

    def categories(self) -> list[Category]:
        """All of them, by name."""
        return [Category(*row) for row in self._queries.categories(self._connection)]

    def names(self, beginning: str) -> list[str]:
        """Categories whose names begin so."""
        return [each.name for each in self.categories() if each.name.startswith(beginning)]

    def size(self) -> Size:
        """Of all documents together."""
        documents, tokens = self._queries.library_size(self._connection)
        return Size(documents, tokens, self._queries.fingerprint(self._connection) or "")

    def search(self, query: str, category: str | None, limit: int) -> list[Found]:
        """The documents that match best.

        Raises:
            UnknownContentError: there is no such category.
        """
        if category is not None:
            self.known_category(category)
        found: list[Found] = []
        for hit in self._index.search(query, category=category, limit=limit):
            row = self._queries.document_by_number(self._connection, number=hit.number)
            if row is not None:
                entry = Entry.of_row(row)
                found.append(Found(entry=entry, piece=hit.section, matched=hit.matched))
        return found

    def document(self, address: Address) -> Entry:
        """The document of an address, with or without `.md`.

        Raises:
            UnknownContentError: there is none; the text names those that are near.
        """
        for wanted in dict.fromkeys([address.document_id, _without_ending(address.document_id)]):
            row = self._queries.document(
                self._connection, category=address.category, document_id=wanted
            )
            if row is not None:
                return Entry.of_row(row)
        self._refuse_left_out(address)
        self.known_category(address.category)
        raise UnknownContentError(
            f"There is no {address._replace(anchor='').uri}.{self._nearest(address)}"
        )

    def documents(self, category: str, limit: int, skip: int = 0) -> list[Entry]:
        """The documents of a category, by id.

        Raises:
            UnknownContentError: there is no such category.
        """
        self.known_category(category)
        rows = self._queries.documents_of(
            self._connection, category=category, limit=limit, skip=skip
        )
        return [Entry.of_row(row) for row in rows]

    def ids(self, category: str, beginning: str, limit: int) -> list[str]:
        """Ids of a category that begin so."""
        rows = self._queries.ids_from(
            self._connection,
            category=category,
            start=beginning,
            stop=beginning + "\U0010ffff",
            limit=limit,
        )
        return [row[0] for row in rows]

    def left_out(self, limit: int) -> list[LeftOut]:
        """Files that are no documents, and why."""
        return [LeftOut(*row) for row in self._queries.left_out(self._connection, limit=limit)]

    def problems(self, limit: int) -> list[LeftOut]:
        """Documents that could not be read as they were meant."""
        return [LeftOut(*row) for row in self._queries.problems(self._connection, limit=limit)]

    def missing_roots(self) -> list[LeftOut]:
        """Roots that are not there, or are no folders."""
        return [LeftOut(*row) for row in self._queries.missing_roots(self._connection)]

    def known_category(self, category: str) -> str:
        """The category.

        Raises:
            UnknownContentError: there is none of that name; the text says which there are.
        """
        names = [each.name for each in self.categories()]
        if category not in names:
            shown = ", ".join(one_line(each, _LONGEST_TITLE) for each in names[:_NAMED])
            shown += ", ..." if len(names) > _NAMED else ""
            there = f"There are: {shown}." if names else "The library is empty."
            wanted = one_line(category, _LONGEST_TITLE)
            raise UnknownContentError(f"There is no category '{wanted}'. {there}")
        return category

    def _refuse_left_out(self, address: Address) -> None:
        """A file that is there and no document: the error says why."""
        path = f"{address.category}/{address.document_id}"
        for name in (path, f"{path}.md", f"{path}.markdown", f"{path}.mdx"):
            reason = self._queries.left_out_reason(self._connection, path=name)
            if reason is not None:
                raise UnreadableContentError(f"{name} is left out of the library: {reason}.")

    def _nearest(self, address: Address) -> str:
        """Documents with a similar name, wherever they stand."""
        known = [Address(*row) for row in self._queries.all_ids(self._connection, limit=_COMPARED)]
        names: dict[str, list[Address]] = {}
        for each in known:
            names.setdefault(_name(each), []).append(each)
        near = nearest(_name(address), names, _NEAREST, 0.75)
        found = [each.uri for name in near for each in names[name]][:_NEAREST]
        return f" Nearest: {', '.join(found)}." if found else " search_content finds what there is."


def _name(address: Address) -> str:
    return PurePosixPath(_without_ending(address.document_id)).name.lower()


def _without_ending(document_id: str) -> str:
    return document_id[:-3] if document_id.lower().endswith(".md") else document_id
