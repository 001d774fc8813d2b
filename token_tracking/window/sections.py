"""The sections of a text in Markdown, and which of them answer a question."""

import re
from itertools import pairwise
from math import log
from typing import Final

from token_tracking.window.excerpts import Count

GAP: Final = "[...]"
"""Stands between sections that did not follow one another."""

_HEADING: Final = re.compile(r"^ {0,3}#{1,6}\s", re.MULTILINE)
_FENCE: Final = re.compile(r"^ {0,3}(?:```|~~~)[^\n]*$", re.MULTILINE)
_BLANK_LINES: Final = re.compile(r"\n[ \t]*\n+")
_WORD: Final = re.compile(r"\w{2,}")


def sections(text: str) -> list[str]:
    """A text in parts, joined they are the text: at its headings, or at blank lines where it has
    none; never within fenced code."""
    starts = _outside_code(text, [found.start() for found in _HEADING.finditer(text)])
    if not starts:
        starts = _outside_code(text, [found.end() for found in _BLANK_LINES.finditer(text)])
    places = sorted({0, *starts, len(text)})
    return [text[start:end] for start, end in pairwise(places)]


def best_sections(text: str, query: str, max_tokens: int, count: Count) -> str:
    """The sections that match words of a query best, as many as fit, in their order; the first
    ones where none matches. Empty where not even the best one fits."""
    parts = sections(text)
    order = _ranked(parts, query)
    gap = count(f"\n{GAP}\n")
    left, taken = max_tokens - gap, set[int]()
    for place in order:
        tokens = count(parts[place]) + gap
        if tokens <= left:
            taken.add(place)
            left -= tokens
        elif not taken:
            return ""
    return _joined(parts, taken)


def _outside_code(text: str, places: list[int]) -> list[int]:
    fences = [found.start() for found in _FENCE.finditer(text)]
    code = list(zip(fences[::2], [*fences[1::2], len(text)], strict=False))
    return [at for at in places if not any(start < at <= end for start, end in code)]


def _ranked(parts: list[str], query: str) -> list[int]:
    """The places of sections, the best match first; rare words weigh more. Only those that match,
    or all in their order where none does."""
    found = [set(map(str.lower, _WORD.findall(part))) for part in parts]
    scores = [0.0] * len(parts)
    for word in set(map(str.lower, _WORD.findall(query))):
        holders = [place for place, words in enumerate(found) if word in words]
        for place in holders:
            scores[place] += log(1 + len(parts) / len(holders))
    matched = [place for place, score in enumerate(scores) if score]
    return sorted(matched, key=lambda place: (-scores[place], place)) or list(range(len(parts)))


def _joined(parts: list[str], taken: set[int]) -> str:
    said: list[str] = []
    last = -1
    for place in [*sorted(taken), len(parts)]:
        if place > last + 1:
            said.append(f"{GAP}\n")
        if place < len(parts):
            said.append(parts[place] if parts[place].endswith("\n") else parts[place] + "\n")
        last = place
    return "".join(said)
