"""How much a term says about a document: BM25F with a few steps instead of any number.

A step depends on nothing but its document, so that one that is added or removed leaves the others
as they are. The constants were chosen on one half of the questions of benchmarks/retrieval.py, and
hardly matter: half or twice as much of any one moves recall@3 by one in a hundred.
"""

import math
from collections import Counter
from typing import Final

from token_tracking_server.content.search.record import Record
from token_tracking_server.content.search.stop_words import STOP_WORDS

_TITLE: Final = 5.0
_PATH: Final = 4.0
_DESCRIPTION: Final = 3.0
_HEADING: Final = 2.0

_USUAL_WORDS: Final = 600
"""Words of a document that is neither long nor short."""

_USUAL_HEADINGS: Final = 50
_LENGTH_COUNTS: Final = 0.75
_SATURATION: Final = 9.0
"""BM25's k1: large, since a term of the title has 5 of these points already."""

_STEP: Final = 1.5
_LOWEST: Final = -4
STEPS: Final = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯"
"""The last character of a posting: no word holds one, since folding makes digits of them."""

_STEP_OF_LOG: Final = 1 / math.log(_STEP)
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
    """What occurrences in the text alone say."""
    points = occurrences / body_norm(words)
    return points / (_SATURATION + points)


def postings(record: Record) -> str:
    """Every term of a document with its step, as FTS5 indexes it, and its category."""
    points: dict[str, float] = {}
    body = "".join(record.bodies).split()
    norm = body_norm(len(body))
    for term, count in Counter(body).items():
        if term not in STOP_WORDS:
            points[term] = count / norm
    headings = "".join(record.headings).split()
    each = _HEADING / (1 - _LENGTH_COUNTS + _LENGTH_COUNTS * len(headings) / _USUAL_HEADINGS)
    for line, weight in (
        (headings, each),
        (record.description.split(), _DESCRIPTION),
        (record.path.split(), _PATH),
        (record.title.split(), _TITLE),
    ):
        for term in line:
            points[term] = points.get(term, 0.0) + weight
    log, steps, top = math.log, STEPS, len(STEPS) - 1
    found = [
        term + steps[min(top, max(0, round(log(each) * _STEP_OF_LOG) - _LOWEST))]
        for term, each in points.items()
    ]
    return " ".join((category_term(record.category), *found))


def category_term(category: str) -> str:
    """The term that every document of a category has."""
    return f"⓪{category}"
