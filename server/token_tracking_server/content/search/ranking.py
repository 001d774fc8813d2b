"""The order of the documents that have terms of a question, and the best section of one."""

import heapq
from collections.abc import Callable
from typing import Final, NamedTuple

from token_tracking_server.content.search.postings import Term
from token_tracking_server.content.search.question import Question
from token_tracking_server.content.search.record import Record, unpack
from token_tracking_server.content.search.weights import said_by_text

_LOOKED_AT: Final = 30
"""Documents whose words are looked at one by one."""

_NEAR: Final = 48
"""Characters, about eight stems: what is further apart has nothing to do with each other."""

_STEM: Final = 6  # characters, with its space
_NEARNESS: Final = 0.1
_PLACES: Final = 50
"""Of a term in a document that are compared."""

_HEADING: Final = 3.0
_TRAIL: Final = 1.0
_SECTION_SATURATION: Final = 3.0
_USUAL_SECTION: Final = 600  # characters


class Candidate(NamedTuple):
    """A document that may answer; `text` is all of its terms."""

    number: int
    score: float
    record: Record
    text: str


def rank(
    scores: dict[int, float],
    skipped: list[str],
    question: Question,
    record_of: Callable[[int], bytes],
) -> list[Candidate]:
    """The candidates, the best first; those with equal scores by number."""
    best = heapq.nsmallest(_LOOKED_AT, scores.items(), key=lambda item: (-item[1], item[0]))
    found = [_look_at(number, score, skipped, question, record_of(number)) for number, score in best]
    return sorted(found, key=lambda each: (-each.score, each.number))


def _look_at(
    number: int, score: float, skipped: list[str], question: Question, packed: bytes
) -> Candidate:
    record, text = unpack(packed)
    score += _NEARNESS * _nearness(question.terms, text)
    return Candidate(number, score, record, text)


def _nearness(terms: tuple[Term, ...], text: str) -> float:
    """What terms that follow each other in the question say where they are near in the text."""
    total = 0.0
    places = [_places(term.text, text) for term in terms]
    for place in range(len(terms) - 1):
        gap = _smallest_gap(places[place], places[place + 1])
        if gap <= _NEAR:
            idf = min(terms[place].idf, terms[place + 1].idf)
            total += idf / max(1.0, gap / _STEM) ** 0.5
    return total


def _places(term: str, text: str) -> list[int]:
    wanted = f" {term} "
    places: list[int] = []
    place = text.find(wanted)
    while place >= 0 and len(places) < _PLACES:
        places.append(place)
        place = text.find(wanted, place + 1)
    return places


def _smallest_gap(first: list[int], second: list[int]) -> int:
    smallest = _NEAR + 1
    one = two = 0
    while one < len(first) and two < len(second):
        gap = second[two] - first[one]
        smallest = min(smallest, abs(gap))
        if gap < 0:
            two += 1
        else:
            one += 1
    return smallest


def best_section(record: Record, question: Question) -> int:
    """The index of the section that has most of the question; the first of equals."""
    best, most = 0, 0.0
    for number, part in enumerate(record.parts()):
        norm = 0.4 + 0.6 * len(part.body) / _USUAL_SECTION
        said = 0.0
        for term in question.terms:
            wanted = f" {term.text} "
            points = part.body.count(wanted) / norm
            points += _HEADING * (wanted in part.heading) + _TRAIL * (wanted in part.trail)
            said += term.idf * points / (_SECTION_SATURATION + points)
        if said > most:
            best, most = number, said
    return best
