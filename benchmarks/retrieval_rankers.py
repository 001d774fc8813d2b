"""Ours, and what it is compared with: each takes a question to names, the best first."""

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing

from benchmarks.retrieval_sets import RetrievalSet
from token_tracking_server.content.search import Indexer, SearchIndex
from token_tracking_server.content.search.stop_words import STOP_WORDS

Ranker = Callable[[str], list[str]]

_FUSED = 60
"""The constant of reciprocal rank fusion in Cormack et al., 2009, and the length of each list."""


def rankers(given: RetrievalSet) -> dict[str, Ranker]:
    """All of them over one set."""
    names = list(given.documents)
    fts5 = _fts5_index(given)

    def plain(question: str) -> list[str]:
        return [names[row] for row in _matches(fts5, question, "{title body}", (3, 0, 0, 0, 1))]

    def fused(question: str) -> list[str]:
        every = _matches(fts5, question, "{title path about headings body}", (4, 3, 2, 2, 1))
        about = _matches(fts5, question, "{title path about headings}", (4, 3, 2, 2, 0))
        scores: dict[int, float] = {}
        for found in (every, about):
            for place, row in enumerate(found, start=1):
                scores[row] = scores.get(row, 0.0) + 1 / (_FUSED + place)
        return [names[row] for row in sorted(scores, key=lambda row: (-scores[row], row))]

    index = search_index(given)

    def ours(question: str) -> list[str]:
        return [names[hit.number - 1] for hit in index.search(question)]

    return {"FTS5, title x3": plain, "two lists fused": fused, "ours": ours}


def search_index(given: RetrievalSet) -> SearchIndex:
    """Our index in memory; the number of a document is its place, from 1."""
    indexer = Indexer()
    index = SearchIndex(sqlite3.connect(":memory:", isolation_level=None))
    index.create()
    for number, document in enumerate(given.documents.values(), start=1):
        index.add(number, indexer.prepare(document))
    return index


def _fts5_index(given: RetrievalSet) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    connection.execute(
        "CREATE VIRTUAL TABLE words USING fts5(title, path, about, headings, body,"
        " tokenize='porter unicode61 remove_diacritics 2')"
    )
    rows = [
        (
            number,
            each.title,
            f"{each.category} {each.document_id}",
            " ".join((each.description, *each.tags)),
            " ".join(section.title for section in each.sections),
            each.text,
        )
        for number, each in enumerate(given.documents.values())
    ]
    connection.executemany(
        "INSERT INTO words(rowid, title, path, about, headings, body) VALUES (?, ?, ?, ?, ?, ?)",
        rows,
    )
    return connection


def _matches(
    connection: sqlite3.Connection, question: str, columns: str, weights: tuple[int, ...]
) -> list[int]:
    words = [word for word in re.findall(r"\w+", question.lower()) if word not in STOP_WORDS]
    if not words:
        return []
    terms = " OR ".join(f'"{word}"' for word in dict.fromkeys(words))
    ordered = f"bm25(words, {', '.join(map(str, weights))})"
    with closing(connection.cursor()) as cursor:
        cursor.execute(
            f"SELECT rowid FROM words WHERE words MATCH ? ORDER BY {ordered}, rowid LIMIT {_FUSED}",
            (f"{columns} : ({terms})",),
        )
        return [row for (row,) in cursor]
