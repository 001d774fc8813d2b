"""A question as terms of the library."""

from typing import Final, NamedTuple

from token_tracking_server.content.search.postings import Postings, Term
from token_tracking_server.content.search.spelling import near_terms
from token_tracking_server.content.search.stems import Stems
from token_tracking_server.content.search.stop_words import STOP_WORDS
from token_tracking_server.content.search.words import Spelled, query_pieces

_READ_CHARACTERS: Final = 2_000
"""Of the beginning, and of the end: what is pasted in between is not the question."""

_LOOKED_UP: Final = 128
_USED: Final = 16
"""Different terms that are looked up, and of these the most telling that are searched."""

_GUESSED: Final = 0.5
"""What a word counts that was found by a likely spelling."""


class Piece(NamedTuple):
    """A word of the question, and the terms that it was found by."""

    text: str
    terms: tuple[str, ...]


class Question(NamedTuple):
    """`terms` are those that the library has, in the order of the question; `wanted` is the sum of
    the idf of all of them, those that it lacks included."""

    pieces: tuple[Piece, ...]
    terms: tuple[Term, ...]
    wanted: float

    def matched(self, found: set[str]) -> tuple[str, ...]:
        """The words of the question that these terms are of, each once."""
        return tuple(
            dict.fromkeys(piece.text for piece in self.pieces if not found.isdisjoint(piece.terms))
        )


def read_question(query: str, stems: Stems, postings: Postings) -> Question:
    """Look up the words of a question; stop words count only where there is nothing else."""
    written = _pieces(query)
    telling = [each for each in written if each.forms[0] not in STOP_WORDS] or written
    stem = stems.stem({form for piece in telling for form in piece.forms})
    pieces: list[Piece] = []
    found: dict[str, Term] = {}
    missing = 0.0
    for written_piece in telling:
        terms = tuple(dict.fromkeys(stem[form] for form in written_piece.forms))
        known = [term for term in terms if _look_up(term, 1.0, postings, found)]
        if not known:
            guesses = near_terms(written_piece.forms[0], stems, postings)
            known = [term for term in guesses if _look_up(term, _GUESSED, postings, found)]
        if not known:
            missing += postings.idf(0)
        pieces.append(Piece(written_piece.text, tuple(known)))
    used = sorted(found.values(), key=lambda term: -term.idf)[:_USED]
    kept = tuple(term for term in found.values() if term in used)
    return Question(tuple(pieces), kept, missing + sum(term.idf for term in kept))


def _look_up(term: str, weight: float, postings: Postings, found: dict[str, Term]) -> bool:
    if term not in found:
        steps = postings.steps(term)
        if not steps:
            return False
        idf = postings.idf(sum(documents for _, documents in steps))
        found[term] = Term(term, weight * idf, steps)
    return True


def _pieces(query: str) -> list[Spelled]:
    if len(query) > 2 * _READ_CHARACTERS:
        query = f"{query[:_READ_CHARACTERS]} {query[-_READ_CHARACTERS:]}"
    once: dict[tuple[str, ...], Spelled] = {}
    for piece in query_pieces(query):
        once.setdefault(piece.forms, piece)
    pieces = list(once.values())
    half = _LOOKED_UP // 2
    return pieces if len(pieces) <= _LOOKED_UP else pieces[:half] + pieces[-half:]
