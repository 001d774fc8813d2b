"""A text in lines, none of them huge."""

from itertools import pairwise
from typing import Final

LONGEST_PIECE: Final = 1_000
"""Characters; a longer line counts as several, so that text without line breaks has parts, too."""


def pieces(text: str) -> list[str]:
    """The lines of a text with their ends, those over `LONGEST_PIECE` characters in several;
    joined they are the text."""
    lines = [line + "\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]
    if not lines[-1]:
        lines.pop()
    if max(map(len, lines), default=0) <= LONGEST_PIECE:
        return lines
    return [piece for line in lines for piece in _split(line)]


def boundary(text: str, at: int) -> int:
    """The place to cut at: one before `at` where that is inside a surrogate pair."""
    if 0 < at < len(text) and "\ud800" <= text[at - 1] <= "\udbff" <= text[at] <= "\udfff":
        return at - 1
    return at


def _split(line: str) -> list[str]:
    ends = [0]
    while ends[-1] < len(line):
        ends.append(boundary(line, min(len(line), ends[-1] + LONGEST_PIECE)))
    return [line[start:end] for start, end in pairwise(ends)]
