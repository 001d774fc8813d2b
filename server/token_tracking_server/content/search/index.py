"""The index of the library: SQLite FTS5 over the terms of documents."""

import sqlite3
from typing import Final

from msgspec import Struct

from token_tracking_server.content.documents import Document
from token_tracking_server.content.search.best import best_section
from token_tracking_server.content.search.postings import Postings
from token_tracking_server.content.search.question import Question, read_question
from token_tracking_server.content.search.ranking import LOOKED_AT, Candidate, rank
from token_tracking_server.content.search.record import make_record, pack, unpack
from token_tracking_server.content.search.stems import Stems
from token_tracking_server.content.search.weights import postings

_TABLES: Final = (
    """CREATE TABLE IF NOT EXISTS search_documents
    (number INTEGER PRIMARY KEY, record BLOB NOT NULL)""",
    "CREATE TABLE IF NOT EXISTS search_size (documents INTEGER NOT NULL)",
    "INSERT INTO search_size SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM search_size)",
    """CREATE VIRTUAL TABLE IF NOT EXISTS search_words
    USING fts5(terms, content='', columnsize=0, detail=none, tokenize='ascii')""",
    "CREATE VIRTUAL TABLE IF NOT EXISTS search_terms USING fts5vocab(search_words, row)",
)


class Indexed(Struct, frozen=True, array_like=True):
    """A document's terms, ready to be stored."""

    record: bytes
    postings: str


class Indexer:
    """Finds the terms of documents. For one thread at a time."""

    def __init__(self) -> None:
        self._stems = Stems()

    def prepare(self, document: Document) -> Indexed:
        """The terms of a document."""
        record = make_record(document, self._stems)
        return Indexed(pack(record), postings(record))


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
    """Over one connection, the catalog's: the caller owns transactions, threads and the file.

    Needs FTS5 of SQLite 3.35 or later.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._stems = Stems()
        self._postings = Postings(connection)

    def create(self) -> None:
        """Its tables, where they are missing."""
        for table in _TABLES:
            self._connection.execute(table)

    def add(self, number: int, document: Indexed) -> None:
        """Store a document under the catalog's number.

        Raises:
            sqlite3.IntegrityError: the number is taken.
        """
        execute = self._connection.execute
        execute("INSERT INTO search_documents VALUES (?, ?)", (number, document.record))
        execute("INSERT INTO search_words(rowid, terms) VALUES (?, ?)", (number, document.postings))
        execute("UPDATE search_size SET documents = documents + 1 WHERE rowid = 1")

    def remove(self, number: int) -> None:
        """Forget a document; nothing happens where there is none."""
        execute = self._connection.execute
        row = execute("SELECT record FROM search_documents WHERE number = ?", (number,)).fetchone()
        if row is None:
            return
        execute(
            "INSERT INTO search_words(search_words, rowid, terms) VALUES ('delete', ?, ?)",
            (number, postings(unpack(row[0]))),
        )
        execute("DELETE FROM search_documents WHERE number = ?", (number,))
        execute("UPDATE search_size SET documents = documents - 1 WHERE rowid = 1")

    def search(self, query: str, *, category: str | None = None, limit: int = 10) -> list[Hit]:
        """The documents that answer a question best, the best first; none where none has enough
        of its words."""
        if not self._postings.look():
            return []
        question = read_question(query, self._stems, self._postings)
        inside = None if category is None else category.encode("utf-8", "surrogatepass").hex()
        scores = self._postings.scores(question.terms, inside, LOOKED_AT)
        return [_hit(each, question) for each in rank(scores, question, self._text, limit)]

    def _text(self, number: int) -> str:
        (record,) = self._connection.execute(
            "SELECT record FROM search_documents WHERE number = ?", (number,)
        ).fetchone()
        return record.decode()


def _hit(found: Candidate, question: Question) -> Hit:
    held = {term.text for term, at in zip(question.terms, found.places, strict=True) if at}
    return Hit(
        number=found.number,
        section=best_section(found, question),
        score=round(found.score, 9),
        matched=question.matched(held),
    )
