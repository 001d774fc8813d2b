"""Old results and calls that may be cleared, and what that saves."""

from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import Final

from token_tracking.window.blocks import Block
from token_tracking.window.calls import has_long_arguments
from token_tracking.window.draft import Draft

LEAST_TOKENS: Final = 100
"""Of a block that is worth clearing: what stands in its place has about half as many."""

PLACEHOLDER_TOKENS: Final = 50
"""About what stands in a block's place."""

Clearable = tuple[Block, Block | None]
"""A result or a call, and its call."""


def clearable(draft: Draft) -> Iterator[Clearable]:
    """Old results and calls worth clearing, the oldest first."""
    last = draft.conversation.rounds(-1)[-1].start
    calls: dict[str | None, Block] = {}
    for block in draft.blocks_of(range(last)):
        if block.kind == "tool_use":
            calls[block.tool_id] = block
        is_long = is_clearable(draft, block) or has_long_arguments(block)
        if is_long and draft.is_sent(block.message) and draft.sent_tokens(block) >= LEAST_TOKENS:
            yield block, calls.get(block.tool_id)


def is_clearable(draft: Draft, block: Block) -> bool:
    """Whether a block is a result whose content may be text."""
    if block.kind != "tool_result":
        return False
    return draft.conversation.form.cleared_result(block, "") is not block.raw


def saving(draft: Draft, block: Block) -> int:
    """About how many tokens are gone when a block is cleared."""
    return max(1, draft.sent_tokens(block) - PLACEHOLDER_TOKENS)


def spared_tokens(draft: Draft, found: Iterable[Clearable]) -> list[int]:
    """By message, and for the end: the tokens that clearing saves before it."""
    savings = [0] * (len(draft.conversation.messages) + 1)
    for block, _ in found:
        savings[block.message + 1] += saving(draft, block)
    return list(accumulate(savings))
