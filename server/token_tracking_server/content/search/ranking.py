"""The order of the documents that have terms of a question."""

from collections.abc import Callable, Mapping
from heapq import nlargest
from typing import Final, NamedTuple

from token_tracking_server.content.search.postings import Scores, Term
from token_tracking_server.content.search.question import Question
from token_tracking_server.content.search.weights import said_by_text

LOOKED_AT: Final = 12
"""Documents whose words are looked at one by one."""

_NEAR: Final = 48
"""Characters, about eight stems: what is further apart has nothing to do with each other."""

_STEM: Final = 6  # characters, with its space
_NEARNESS: Final = 0.15
_PLACES: Final = 32
"""Of a term in a document that are compared."""

_HALF: Final = 0.5
_PART: Final = 0.25
_SAID: Final = 0.12


class Candidate(NamedTuple):
    """A document that may answer: all of its terms as one text, and where those of the question
    begin in it."""

    number: int
    score: float
    text: str
    places: tuple[list[int], ...]


def rank(
    scores: Scores, question: Question, text_of: Callable[[int], str], limit: int
) -> list[Candidate]:
    """The candidates, the best first; those with equal scores by number. None where not one has
    enough of the question."""
    enough = max(LOOKED_AT, limit)
    least = min(nlargest(enough, scores.read.values()), default=0.0)
    best = sorted((-score, number) for number, score in scores.read.items() if score >= least)
    found = [
        _look_at(number, -negative, question.terms, scores.unread, text_of(number))
        for negative, number in best[:enough]
    ]
    found = sorted(found, key=lambda each: (-each.score, each.number))[:limit]
    return found if any(_answers(each, question) for each in found) else []


def _answers(found: Candidate, question: Question) -> bool:
    """Whether a document has enough of a question to be named at all.

    It has half of it, each word weighed by its idf (a rare word that is mentioned once); or a
    quarter, and says so much about it that its score is 12% of what it could be.
    `benchmarks/retrieval.py --unrelated` measures how often that is wrong.
    """
    terms = zip(question.terms, found.places, strict=True)
    covered = sum(term.idf for term, places in terms if places) / question.wanted
    said = found.score / question.wanted
    return covered >= _HALF or (covered >= _PART and said >= _SAID)


def _look_at(
    number: int, score: float, terms: tuple[Term, ...], unread: Mapping[str, float], text: str
) -> Candidate:
    places = tuple(_places(f" {term.text} ", text) for term in terms)
    score += _NEARNESS * _nearness(terms, places)
    if unread:
        words = len(text) // _STEM
        for term, found in zip(terms, places, strict=True):
            said = said_by_text(len(found), words)
            # What says more has been read.
            if said <= unread.get(term.text, 0.0):
                score += term.idf * said
    return Candidate(number, score, text, places)


def _shared(one: Term, other: Term) -> float:
    return min(one.idf, other.idf)


def _nearness(terms: tuple[Term, ...], places: tuple[list[int], ...]) -> float:
    """What terms that follow each other in the question say where they are near in the text."""
    total = 0.0
    for number in range(len(terms) - 1):
        if places[number] and places[number + 1]:
            gap = _smallest_gap(places[number], places[number + 1])
            if gap <= _NEAR:
                shared = _shared(terms[number], terms[number + 1])
                total += shared / max(1.0, gap / _STEM) ** 0.5
    return total


def _places(wanted: str, text: str) -> list[int]:
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
