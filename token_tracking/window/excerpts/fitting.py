"""An excerpt, and how it is made to fit a number of tokens."""

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from token_tracking.window.excerpts.pieces import boundary

Count = Callable[[str], int]
"""Tokens of a text; 0 for an empty one."""

_DENSEST: Final = 16
"""Characters a token: a text that would need more than this to fit is first judged by samples."""
_SAMPLES: Final = 16
_SAMPLE: Final = 2_000
_ROUNDS: Final = 8
_GUESSES: Final = 3
"""Rounds that trust the density of the last one; after them the interval is halved."""
_FULL: Final = 0.9
"""A result that uses this share of what it may is not made anew."""


class Excerpt(Struct, frozen=True):
    """Part of a text. `text` is all of it, with a note for each gap; `head` and `tail` stand
    around the one gap of `head_and_tail` (`tail` is empty otherwise). `left_out_tokens` is an
    estimate by characters, `left_out_lines` is exact; both are 0 where the text was kept whole.
    """

    text: str
    head: str
    tail: str = ""
    left_out_tokens: int = 0
    left_out_lines: int = 0


def fitted(
    make: Callable[[int], Excerpt], characters: int, max_tokens: int, count: Count
) -> Excerpt | None:
    """The fullest of some excerpts that have at most `max_tokens`; `None` where none has.

    `make` is given a number of characters to keep, first `characters`, then what the counts of
    its results suggest, 0 at the last.
    """
    best: Excerpt | None = None
    low, high, limit = 0, 2 * characters + 2, characters
    for turn in range(_ROUNDS):
        found = make(limit)
        used = count(found.text)
        if used > max_tokens:
            high = limit
        elif best is not None and len(found.text) <= len(best.text):
            break
        else:
            best, low = found, limit
        if _FULL * max_tokens <= used <= max_tokens or high - low <= 1:
            break
        limit = int(limit * 0.97 * max_tokens / max(1, used))
        if turn >= _GUESSES or not low < limit < high:
            limit = (low + high) // 2
    if best is None and count((found := make(0)).text) <= max_tokens:
        return found
    return best


def total_tokens(text: str, max_tokens: int, count: Count) -> int:
    """Tokens of a text: exact where that may decide whether it fits, else by samples."""
    if len(text) > max(_DENSEST * max_tokens, 2 * _SAMPLES * _SAMPLE):
        step = len(text) // _SAMPLES
        sampled = sum(count(text[at * step : at * step + _SAMPLE]) for at in range(_SAMPLES))
        estimate = sampled * len(text) // (_SAMPLES * _SAMPLE)
        if estimate > 2 * max_tokens:
            return estimate
    return count(text)


def characters_for(text: str, total: int, max_tokens: int) -> int:
    """How many characters of a text have about `max_tokens`."""
    return len(text) * max(0, max_tokens) // max(1, total)


def left_out_of(text: str, kept: int, total: int) -> int:
    """About how many tokens are gone where `kept` characters stayed."""
    return max(1, round(total * (len(text) - kept) / max(1, len(text))))


def bare(source: str, text: str, total: int, max_tokens: int, count: Count) -> Excerpt:
    """A beginning without a note, nothing at the worst."""
    size = min(len(source), _DENSEST * max(0, max_tokens))
    while size and count(source[: boundary(source, size)]) > max_tokens:
        size //= 2
    head = source[: boundary(source, size)]
    left_out = left_out_of(text, len(head), total)
    return Excerpt(head, head, "", left_out, text.count("\n") - head.count("\n"))
