"""The beginning and the end of a text, with a note between them."""

from collections.abc import Callable
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
from token_tracking.window.excerpts.pieces import boundary

_HEAD_SHARE: Final = 2 / 3


def left_out_note(tokens: int, lines: int) -> str:
    """What stands in the gap between head and tail."""
    named = f"{lines} lines, " if lines > 1 else ""
    return f"[... {named}about {rounded(tokens)} tokens left out ...]"


def around(head: str, note: str, tail: str) -> str:
    """Head, note and tail, the note on a line of its own."""
    before = head if not head or head.endswith("\n") else head + "\n"
    return f"{before}{note}\n{tail}" if tail else before + note


def rounded(tokens: int) -> int:
    """Two significant digits: a slightly different estimate hardly ever changes a note's bytes."""
    unit = 10 ** max(0, len(str(abs(tokens))) - 2)
    return round(tokens / unit) * unit


def head_and_tail(
    text: str,
    max_tokens: int,
    count: Count,
    *,
    tokens: int | None = None,
    note: Callable[[int, int], str] = left_out_note,
) -> Excerpt:
    """The text where it fits; else its first two thirds of `max_tokens` and its last third, cut
    at line ends where lines are not huge.

    `tokens` is `count(text)` where the caller knows it. `note` words the gap, from the tokens and
    lines that are left out. Where not even the note fits, `text` is a bare beginning.
    """
    total = tokens if tokens is not None else total_tokens(text, max_tokens, count)
    if total <= max_tokens:
        return Excerpt(text, text)

    def make(characters: int) -> Excerpt:
        head_end = _line_end_before(text, int(characters * _HEAD_SHARE))
        tail_start = _line_end_after(text, len(text) - (characters - head_end))
        if tail_start <= head_end:
            return Excerpt(text, text)
        head, tail = text[:head_end], text[tail_start:]
        lines = text.count("\n", head_end, len(text) - len(tail))
        left_out = left_out_of(text, len(head) + len(tail), total)
        return Excerpt(around(head, note(left_out, lines), tail), head, tail, left_out, lines)

    found = fitted(make, characters_for(text, total, max_tokens), max_tokens, count)
    return found or bare(text, text, total, max_tokens, count)


def _line_end_before(text: str, at: int) -> int:
    """The last line end before a place, or the place itself where that is far off."""
    end = text.rfind("\n", 0, at) + 1
    return end if end * 2 >= at else boundary(text, at)


def _line_end_after(text: str, at: int) -> int:
    if at <= 0:
        return 0
    end = text.find("\n", at - 1) + 1
    return end if end and (end - at) * 2 <= len(text) - at else boundary(text, at)
