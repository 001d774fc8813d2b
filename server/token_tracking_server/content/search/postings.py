"""Which documents have a term, and how much it says about them: FTS5, read step by step."""

import math
import sqlite3
from collections.abc import Sequence
from typing import Final, NamedTuple

from token_tracking_server.content.search.weights import SAID, STEPS, category_term

_READ: Final = 5_000
"""Postings a question reads, the ones that say most first: the rest cannot change much."""

_REMEMBERED: Final = 500_000  # postings, of 8 bytes and a number object each


class Step(NamedTuple):
    """The documents for which a term says as much."""

    points: float
    posting: str
    documents: int


class Term(NamedTuple):
    """A term of a question, found in the library. `idf` is as in BM25, times its weight."""

    text: str
    idf: float
    steps: tuple[tuple[str, int], ...]


class Postings:
    """Reads the tables of an index, and remembers what it read until anything changes."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._state: object = None
        self._documents = 0
        self._steps: dict[str, tuple[tuple[str, int], ...]] = {}
        self._lists: dict[str, list[int]] = {}
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

    def idf(self, documents: int) -> float:
        """Inverse document frequency, as in BM25; that of a term that no document has is the
        largest."""
        return math.log(1 + (self._documents - documents + 0.5) / (documents + 0.5))

    def scores(
        self, terms: Sequence[Term], category: str | None
    ) -> tuple[dict[int, float], list[str]]:
        """The sum of what the terms say about each document, and the terms whose lower steps were
        not read."""
        share = 1.0
        if category is not None:
            ((_, inside),) = self.steps_of_category(category) or ((None, 0),)
            share = inside / max(1, self._documents)
        steps = sorted(
            (-term.idf * SAID[posting[-1]], number, posting, documents)
            for number, term in enumerate(terms)
            for posting, documents in term.steps
        )
        scores: dict[int, float] = {}
        skipped: dict[str, None] = {}
        read = 0.0
        for points, number, posting, documents in steps:
            if read and read + documents * share > _READ:
                skipped[terms[number].text] = None
                continue
            read += documents * share
            for document in self._list(posting, category):
                scores[document] = scores.get(document, 0.0) - points
        return scores, list(skipped)

    def steps_of_category(self, category: str) -> list[tuple[str, int]]:
        """How many documents a category has."""
        term = category_term(category)
        return self._connection.execute(
            "SELECT term, doc FROM search_terms WHERE term = ?", (term,)
        ).fetchall()

    def _list(self, posting: str, category: str | None) -> list[int]:
        known = self._lists.get(posting) if category is None else None
        if known is not None:
            return known
        wanted = f'"{posting}"'
        if category is not None:
            wanted += f' AND "{category_term(category)}"'
        rows = self._connection.execute(
            "SELECT rowid FROM search_words WHERE search_words MATCH ?", (wanted,)
        )
        found = [number for (number,) in rows]
        if category is None and self._remembered + len(found) <= _REMEMBERED:
            self._lists[posting] = found
            self._remembered += len(found)
        return found
