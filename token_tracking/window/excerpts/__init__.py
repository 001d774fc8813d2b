"""Parts of a text that is too long: its head and tail, or the lines that match a query.

Sizes are taken by characters and verified by the caller's `count` at the end, which must give 0
for an empty text: no result is longer than asked by that count.
"""

from token_tracking.window.excerpts.fitting import Count, Excerpt, fitted
from token_tracking.window.excerpts.head_and_tail import (
    around,
    head_and_tail,
    left_out_note,
    rounded,
)
from token_tracking.window.excerpts.matching import matching
from token_tracking.window.excerpts.pieces import LONGEST_PIECE, boundary, pieces

__all__ = [
    "LONGEST_PIECE",
    "Count",
    "Excerpt",
    "around",
    "boundary",
    "fitted",
    "head_and_tail",
    "left_out_note",
    "matching",
    "pieces",
    "rounded",
]
