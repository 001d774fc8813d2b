"""Names from files and folders: as one line that a model reads, and the nearest to a wrong one."""

from collections.abc import Collection
from difflib import get_close_matches
from typing import Final

_COMPARED: Final = 60
"""Names that are compared letter by letter: those that share most pairs of letters."""


def one_line(text: str, longest: int) -> str:
    """Without line breaks, control and invisible characters, and the bars that divide a line of
    an index; at most `longest` characters."""
    plain = "".join(each if each.isprintable() else " " for each in text[: 4 * longest])
    plain = " ".join(plain.replace(" | ", " / ").split())
    return plain if len(plain) <= longest else plain[: longest - 1] + "…"


def nearest(wanted: str, names: Collection[str], most: int, cutoff: float) -> list[str]:
    """The names most like a wrong one, the best first."""
    pairs = _pairs(wanted)
    shared = sorted(names, key=lambda name: -len(pairs & _pairs(name)))[:_COMPARED]
    return get_close_matches(wanted, shared, n=most, cutoff=cutoff)


def _pairs(text: str) -> set[str]:
    short = text[:200]
    return {short[at : at + 2] for at in range(len(short) - 1)}
