"""Text that fits the room it has: long paths, columns, and bars."""

import sys
from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len, chop_cells

GAP: Final = 2
"""Cells between two columns."""

_DOTS: Final = "..."
_EIGHTHS: Final = "▏▎▍▌▋▊▉█"
_STEPS: Final = "▁▂▃▄▅▆▇█"


def shortened(text: str, width: int) -> str:
    """At most `width` cells of a text: what is too long loses its middle, and keeps more of its
    end, where paths have their names."""
    if cell_len(text) <= width:
        return text
    room = width - len(_DOTS)
    if room < 2:
        return _head(text, width)
    head = room // 3
    return _head(text, head) + _DOTS + _tail(text, room - head)


def begun(text: str, width: int) -> str:
    """At most `width` cells of words: what is too long loses its end."""
    if cell_len(text) <= width:
        return text
    room = width - len(_DOTS)
    return _head(text, room).rstrip() + _DOTS if room > 0 else _head(text, width)


def _head(text: str, width: int) -> str:
    return chop_cells(text, width)[0] if width > 0 else ""


def _tail(text: str, width: int) -> str:
    return _head(text[::-1], width)[::-1]


def width_of(cells: Sequence[str]) -> int:
    """What a column of these cells takes."""
    return max(map(cell_len, cells), default=0)


def fitting(widths: Sequence[int], keep: Sequence[int], room: int) -> list[int]:
    """Which columns fit into `room` beside a label, by their places in `widths`.

    `keep` are the places in the order of how much they matter: the last ones are left out first.
    The first of them is always there.
    """
    left = list(keep)
    while len(left) > 1 and sum(widths[place] + GAP for place in left) > room:
        left.pop()
    return sorted(left)


def bar(part: float, width: int) -> str:
    """A bar of `part` (0 to 1) of `width` cells, in eighths of a cell where the output can show
    them. What is more than nothing is seen."""
    if part <= 0 or width < 1:
        return ""
    if not can_show(_EIGHTHS):
        return "#" * max(1, round(part * width))
    eighths = max(1, round(min(part, 1.0) * width * 8))
    full, rest = divmod(eighths, 8)
    return _EIGHTHS[-1] * full + (_EIGHTHS[rest - 1] if rest else "")


def sparkline(values: Sequence[float | None]) -> str:
    """One character a value, from nothing to the largest; a space for what is not known."""
    top = max((value for value in values if value is not None), default=0.0)
    if top <= 0 or not can_show(_STEPS):
        return ""
    return "".join(
        " " if value is None else _STEPS[round(max(value, 0.0) / top * (len(_STEPS) - 1))]
        for value in values
    )


def can_show(text: str) -> bool:
    """Whether the encoding of standard output has these characters."""
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except (LookupError, UnicodeEncodeError):
        return False
    return True
