"""Terms of the library that an unknown word was likely meant to be."""

from typing import Final

from token_tracking_server.content.search.postings import Postings
from token_tracking_server.content.search.stems import Stems

_SHORTEST: Final = 5
"""Letters. Shorter words have too many neighbours."""

_SURE: Final = 4
"""Letters at the beginning that are taken as they are, except where two changed places."""

_ENDING: Final = 3
"""Letters at the end that may be a misspelt ending, which no stemmer knows."""

_LOOKED_THROUGH: Final = 2_000
_GUESSES: Final = 2


def near_terms(form: str, stems: Stems, postings: Postings) -> list[str]:
    """Terms one slip away, those of most documents first."""
    if len(form) < _SHORTEST or not form.isalpha():
        return []
    term = stems.stem({form})[form]
    near = postings.beginning(term[:_SURE], _LOOKED_THROUGH)
    found = {other: documents for other, documents in near.items() if _is_near(term, other)}
    for swapped in sorted(set(stems.stem(_swaps(form)).values())):
        if steps := postings.steps(swapped):
            found[swapped] = sum(documents for _, documents in steps)
    return sorted(found, key=lambda other: (-found[other], other))[:_GUESSES]


def _is_near(term: str, other: str) -> bool:
    has_other_ending = term.startswith(other) and len(term) - len(other) <= _ENDING
    return _is_slip(term, other) or (has_other_ending and len(other) >= _SHORTEST)


def _swaps(form: str) -> set[str]:
    places = range(len(form) - 1)
    return {form[:place] + form[place + 1] + form[place] + form[place + 2 :] for place in places}


def _is_slip(one: str, other: str) -> bool:
    """Whether one letter was left out, put in, or taken for another."""
    if abs(len(one) - len(other)) > 1:
        return False
    shorter, longer = sorted((one, other), key=len)
    same = next((at for at, letter in enumerate(shorter) if letter != longer[at]), len(shorter))
    skipped = same + (len(shorter) == len(longer))
    return shorter[skipped:] == longer[same + 1 :]
