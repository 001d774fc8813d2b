"""The lines of a text that match a query."""

import re
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from math import log
from typing import Final

from token_tracking.window.excerpts.fitting import (
    Count,
    Excerpt,
    bare,
    characters_for,
    fitted,
    left_out_of,
    total_tokens,
)
from token_tracking.window.excerpts.pieces import boundary, pieces

_CONTEXT: Final = 2
_MOST_WORDS: Final = 16
_MANY: Final = 50
"""Lines with a word, and more than a quarter of all: it tells nothing about what is sought."""


def matching(
    text: str, query: str, max_tokens: int, count: Count, *, tokens: int | None = None
) -> Excerpt | None:
    """The lines that match words of a query best (rare words weigh more, case does not matter),
    with two lines around each, in order; gaps say how many lines they leave out, and which. The
    whole text where it fits; `None` where nothing matches.

    `tokens` is `count(text)` where the caller knows it.
    """
    total = tokens if tokens is not None else total_tokens(text, max_tokens, count)
    if total <= max_tokens:
        return Excerpt(text, text)
    lines = pieces(text)
    words = _words(query)
    ranked = _ranked(text, lines, words)
    if not ranked:
        return None

    def make(characters: int) -> Excerpt:
        picked = _picked(lines, ranked, characters)
        if picked:
            shown, kept = _with_gaps(lines, picked), sum(len(lines[at]) for at in picked)
        else:
            shown = _cut_around(lines[ranked[0]], words, characters)
            kept = len(shown)
        left_out = left_out_of(text, kept, total)
        return Excerpt(shown, shown, "", left_out, len(lines) - len(picked))

    best = lines[ranked[0]]
    found = fitted(make, characters_for(text, total, max_tokens), max_tokens, count)
    return found or bare(best, text, total, max_tokens, count)


def _words(query: str) -> list[str]:
    """The whole query first, then its words of two letters or more."""
    whole = " ".join(query.lower().split())
    words = [word for word in re.findall(r"\w+", whole) if len(word) > 1]
    return list(dict.fromkeys([whole, *words] if whole else []))[:_MOST_WORDS]


def _ranked(text: str, lines: Sequence[str], words: Sequence[str]) -> list[int]:
    """The lines that hold a word, best first, then by place."""
    lowered = text.lower()
    # A few letters become two in lower case, and move all that stands behind them.
    is_even = len(lowered) == len(text)
    ends = list(accumulate(len(line) if is_even else len(line.lower()) for line in lines))
    many = max(_MANY, len(lines) // 4)
    scores: dict[int, float] = {}
    for hits in _telling([_lines_with(word, lowered, ends, many) for word in words], many):
        weight = log(1 + len(lines) / len(hits))
        for at in hits:
            scores[at] = scores.get(at, 0.0) + weight
    return sorted(scores, key=lambda at: (-scores[at], at))


def _lines_with(word: str, lowered: str, ends: Sequence[int], many: int) -> list[int]:
    """The lines that a word begins in, the first `many` and one: more say that it tells nothing."""
    hits: list[int] = []
    at = lowered.find(word)
    while at >= 0 and len(hits) <= many:
        hits.append(bisect_right(ends, at))
        at = lowered.find(word, ends[hits[-1]])
    return hits


def _telling(hits: Sequence[list[int]], many: int) -> list[list[int]]:
    """Without the words that stand nowhere, or on many lines, unless there are no others."""
    found = [each for each in hits if each]
    return [each for each in found if len(each) <= many] or sorted(found, key=len)[:1]


def _picked(lines: Sequence[str], ranked: Sequence[int], characters: int) -> list[int]:
    """The places of the best lines that fit, with what stands around them."""
    picked: set[int] = set()
    left = characters
    for at in ranked:
        near = range(max(0, at - _CONTEXT), min(len(lines), at + _CONTEXT + 1))
        for wanted in ({*near} - picked, {at} - picked):
            size = sum(len(lines[each]) for each in wanted)
            if size <= left:
                picked.update(wanted)
                left -= size
                break
        else:
            break
    return sorted(picked)


def _with_gaps(lines: Sequence[str], picked: Sequence[int]) -> str:
    parts: list[str] = []
    last = -1
    for at in [*picked, len(lines)]:
        if (gap := at - last - 1) > 0:
            if parts and not parts[-1].endswith("\n"):
                parts.append("\n")
            named = f"{gap} lines, {last + 2}-{at}" if gap > 1 else f"line {at}"
            parts.append(f"[... {named} ...]\n")
        parts.extend(lines[at : at + 1])
        last = at
    return "".join(parts)


def _cut_around(line: str, words: Sequence[str], characters: int) -> str:
    """A piece of a long line with the first word that it holds."""
    lowered = line.lower()
    found = min((at for at in map(lowered.find, words) if at >= 0), default=0)
    start = boundary(line, max(0, found - characters // 4))
    return line[start : boundary(line, min(len(line), start + characters))]
