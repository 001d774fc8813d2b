"""How much a term says about a document: BM25F with a few steps instead of any number.

A step depends on nothing but its document, so that one that is added or removed leaves the others
as they are. The constants are the best of a coarse grid on one half of the questions of several
sets; their neighbours are worse by about one in a hundred (benchmarks/retrieval.py).
"""

from bisect import bisect
from collections import Counter
from typing import Final

from token_tracking_server.content.search.record import Record

_TITLE: Final = 5.0
_PATH: Final = 4.0
_DESCRIPTION: Final = 3.0
_HEADING: Final = 2.0

_USUAL_WORDS: Final = 400
"""Words of a document that is neither long nor short, without stop words."""

_USUAL_HEADINGS: Final = 50
_LENGTH_COUNTS: Final = 0.75
_SATURATION: Final = 9.0
"""BM25's k1: large, since a term of the title has 5 of these points already."""

_STEP: Final = 1.5
_LOWEST: Final = -4
STEPS: Final = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯"
"""The last character of a posting: no word holds one, since folding makes digits of them."""

_BOUNDS: Final = [_STEP ** (number + _LOWEST + 0.5) for number in range(len(STEPS) - 1)]
SAID: Final = {
    step: points / (_SATURATION + points)
    for number, step in enumerate(STEPS)
    for points in [_STEP ** (number + _LOWEST)]
}
"""From 0 to 1, by step."""


def body_norm(words: int) -> float:
    """What an occurrence in the text is divided by."""
    return 1 - _LENGTH_COUNTS + _LENGTH_COUNTS * words / _USUAL_WORDS


def said_by_text(occurrences: int, words: int) -> float:
    """What occurrences in the text alone say, from 0 to 1."""
    points = occurrences / body_norm(words)
    return points / (_SATURATION + points)


def postings(record: Record) -> str:
    """Every term of a document with its step, as FTS5 indexes it, and its category."""
    counts = Counter("".join(record.bodies).split())
    norm = body_norm(counts.total())
    named = _named(record)
    found = [term + _step(each + counts.pop(term, 0) / norm) for term, each in named.items()]
    steps = {count: _step(count / norm) for count in set(counts.values())}
    found += [term + steps[count] for term, count in counts.items()]
    return " ".join((category_term(record.category), *found))


def _named(record: Record) -> dict[str, float]:
    """The points of the terms that stand outside the text."""
    headings = "".join(record.headings).split()
    each = _HEADING / (1 - _LENGTH_COUNTS + _LENGTH_COUNTS * len(headings) / _USUAL_HEADINGS)
    points: dict[str, float] = {}
    for terms, weight in (
        (headings, each),
        (record.description.split(), _DESCRIPTION),
        (record.path.split(), _PATH),
        (record.title.split(), _TITLE),
    ):
        for term in terms:
            points[term] = points.get(term, 0.0) + weight
    return points


def _step(points: float) -> str:
    return STEPS[bisect(_BOUNDS, points)]


def category_term(category: str) -> str:
    """The term that every document of a category has."""
    return f"⓪{category}"
