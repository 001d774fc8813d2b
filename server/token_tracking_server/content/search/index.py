"""The index of the library: SQLite FTS5 over documents."""

import sqlite3
from typing import Final

from msgspec import Struct

from token_tracking_server.content.documents import Document
from token_tracking_server.content.search.terms import query_words, searchable

_TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS search_documents"
    " (number INTEGER PRIMARY KEY, category TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS search_sections"
    " (number INTEGER NOT NULL, section INTEGER NOT NULL, title TEXT NOT NULL,"
    " body TEXT NOT NULL, PRIMARY KEY (number, section)) WITHOUT ROWID",
    "CREATE VIRTUAL TABLE IF NOT EXISTS search_words USING fts5(title, path, description,"
    " headings, body, tokenize = 'porter unicode61 remove_diacritics 2')",
)


class Hit(Struct, frozen=True):
    """A document that answers, and the section of it that answers best.

    `number` is the catalog's row, `section` an index into the document's sections. `matched` are
    the words of the question that were found, as the user wrote them.
    """

    number: int
    section: int
    score: float
    matched: tuple[str, ...]


class SearchIndex:
    """Over one connection, the catalog's: the caller owns transactions, threads and the file."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def create(self) -> None:
        """Its tables, where they are missing."""
        for table in _TABLES:
            self._connection.execute(table)

    def add(self, number: int, document: Document) -> None:
        """Index a document under the catalog's number."""
        sections = [
            (number, place, searchable(each.title), searchable(document.own_text(each)))
            for place, each in enumerate(document.sections)
        ]
        self._connection.execute(
            "INSERT INTO search_documents VALUES (?, ?)", (number, searchable(document.category))
        )
        self._connection.executemany("INSERT INTO search_sections VALUES (?, ?, ?, ?)", sections)
        self._connection.execute(
            "INSERT INTO search_words(rowid, title, path, description, headings, body)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (
                number,
                searchable(document.title),
                searchable(f"{document.category} {document.document_id}"),
                searchable(" ".join((document.description, *document.tags))),
                " ".join(each[2] for each in sections),
                " ".join(each[3] for each in sections),
            ),
        )

    def remove(self, number: int) -> None:
        """Forget a document; nothing happens where there is none."""
        for statement in (
            "DELETE FROM search_words WHERE rowid = ?",
            "DELETE FROM search_sections WHERE number = ?",
            "DELETE FROM search_documents WHERE number = ?",
        ):
            self._connection.execute(statement, (number,))

    def search(self, query: str, *, category: str | None = None, limit: int = 10) -> list[Hit]:
        """The documents that answer a question best, the best first."""
        words = query_words(query)
        if not words:
            return []
        expression = " OR ".join(f'"{word}"' for word in words)
        scores: dict[int, float] = {}
        for weights, columns in (
            ("4, 3, 2, 2, 1", ""),
            ("4, 3, 2, 2, 0", "{title path description headings} : "),
        ):
            rows = self._connection.execute(
                "SELECT number FROM search_words JOIN search_documents ON number = search_words.rowid"
                " WHERE search_words MATCH ? AND (?2 IS NULL OR category = ?2)"
                f" ORDER BY bm25(search_words, {weights}), number LIMIT 60",
                (f"{columns}({expression})", category),
            )
            for place, (number,) in enumerate(rows):
                scores[number] = scores.get(number, 0.0) + 1 / (60 + place)
        best = sorted(scores, key=lambda number: (-scores[number], number))[:limit]
        return [self._hit(number, scores[number], words) for number in best]

    def _hit(self, number: int, score: float, words: list[str]) -> Hit:
        best, most, matched = 0, -1, dict.fromkeys(words, False)
        rows = self._connection.execute(
            "SELECT section, title, body FROM search_sections WHERE number = ? ORDER BY section",
            (number,),
        )
        for section, title, body in rows:
            text = f"{title} {body}".lower()
            found = [word for word in words if word.lower()[:5] in text]
            matched.update(dict.fromkeys(found, True))
            if len(found) > most:
                best, most = section, len(found)
        return Hit(number, best, score, tuple(word for word in words if matched[word]))
