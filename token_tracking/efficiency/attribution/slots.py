"""A place in a prompt."""

from typing import Final

from msgspec import Struct

from token_tracking.efficiency.attribution.accounts import Item

RESULT: Final = 0
"""A tool result: clients and servers clear these first."""
THINKING: Final = 1
"""Thinking, which some models drop from later prompts."""
OTHER: Final = 2


class Slot(Struct, gc=False):
    """A place in the row of a prompt, for tokens of one item; a closed one has none. `kind` is
    `RESULT`, `THINKING` or `OTHER`. `since` is what `far` rates (`positions`) came to when it got
    its size."""

    item: Item
    tokens: int
    kind: int
    index: int
    since: int = 0
