"""Which documents have a term, and how much it says about them: FTS5, read step by step."""

import math
import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from typing import Final, NamedTuple

from token_tracking_server.content.search.weights import SAID, STEPS, category_term

_READ: Final = 3_000
"""Postings a question reads, the ones that say most first: the rest cannot change much."""

_REMEMBERED: Final = 500_000  # postings, of 8 bytes and a number object each


class Term(NamedTuple):
    """A term of a question, found in the library. `idf` is as in BM25, times its weight."""

    text: str
    idf: float
    steps: tuple[tuple[str, int], ...]


class Scores(NamedTuple):
    """The score of each document, and the terms that were not read to their end: the most that
    what is left says about any document."""

    read: dict[int, float]
    unread: dict[str, float]


class Postings:
    """Reads the tables of an index, and remembers what it read until anything changes."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._state: object = None
        self._documents = 0
        self._steps: dict[str, tuple[tuple[str, int], ...]] = {}
        self._lists: dict[str, list[int]] = {}
        self._categories: dict[str, frozenset[int]] = {}
        self._remembered = 0

    def look(self) -> int:
        """Forget what has changed. Returns how many documents there are."""
        version = self._connection.execute("PRAGMA data_version").fetchone()[0]
        state = (version, self._connection.total_changes)
        # What is not committed may be taken back, which neither number tells.
        if state != self._state or self._connection.in_transaction:
            self.forget()
            (self._documents,) = self._connection.execute(
                "SELECT documents FROM search_size"
            ).fetchone()
            self._state = None if self._connection.in_transaction else state
        return self._documents

    def forget(self) -> None:
        """Read all anew."""
        self._state = None
        self._steps.clear()
        self._lists.clear()
        self._categories.clear()
        self._remembered = 0

    def steps(self, term: str) -> tuple[tuple[str, int], ...]:
        """The postings of a term, and how many documents each has."""
        known = self._steps.get(term)
        if known is None:
            rows = self._connection.execute(
                "SELECT term, doc FROM search_terms WHERE term >= ? AND term <= ?",
                (term + STEPS[0], term + STEPS[-1]),
            )
            known = self._steps[term] = tuple(rows)
        return known

    def beginning(self, start: str, limit: int) -> dict[str, int]:
        """Some terms that begin so, and their documents."""
        rows = self._connection.execute(
            "SELECT term, doc FROM search_terms WHERE term >= ? AND term < ? LIMIT ?",
            (start, start[:-1] + chr(ord(start[-1]) + 1), limit),
        )
        found: dict[str, int] = defaultdict(int)
        for posting, documents in rows:
            found[posting[:-1]] += documents
        return found

    def idf(self, documents: int) -> float:
        """Inverse document frequency, as in BM25; that of a term that no document has is the
        largest."""
        return math.log(1 + (self._documents - documents + 0.5) / (documents + 0.5))

    def scores(self, terms: Sequence[Term], category: str | None, enough: int) -> Scores:
        """The sum of what the terms say about each document, those of a category alone if given.

        What says most is read first; in a large library the least is not read, once there are
        `enough` documents.
        """
        inside = None if category is None else self._members(category)
        steps = sorted(
            (-term.idf * SAID[posting[-1]], place, posting, documents)
            for place, term in enumerate(terms)
            for posting, documents in term.steps
        )
        scores: dict[int, float] = defaultdict(float)
        unread: dict[str, float] = {}
        read = 0
        for points, place, posting, documents in steps:
            read += documents
            if unread or (read > _READ and len(scores) >= enough):
                unread.setdefault(terms[place].text, SAID[posting[-1]])
                continue
            found = self._list(posting)
            for document in found if inside is None else inside.intersection(found):
                scores[document] -= points
        return Scores(scores, unread)

    def _members(self, category: str) -> frozenset[int]:
        known = self._categories.get(category)
        if known is None:
            term = category_term(category)
            known = self._categories[category] = frozenset(self._documents_of(term))
        return known

    def _list(self, posting: str) -> list[int]:
        known = self._lists.get(posting)
        if known is None:
            known = self._documents_of(posting)
            if self._remembered + len(known) <= _REMEMBERED:
                self._lists[posting] = known
                self._remembered += len(known)
        return known

    def _documents_of(self, term: str) -> list[int]:
        # One text is read three times as fast as a row for each.
        (numbers,) = self._connection.execute(
            "SELECT group_concat(rowid) FROM search_words WHERE search_words MATCH ?",
            (f'"{term}"',),
        ).fetchone()
        return list(map(int, numbers.split(","))) if numbers else []
