"""Old results and calls that may be cleared, and what that saves."""

from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import Any, Final

from token_tracking.window.blocks import Block
from token_tracking.window.calls import cleared_call, has_long_arguments
from token_tracking.window.content_store import ContentStore
from token_tracking.window.draft import Draft
from token_tracking.window.placeholders import FETCH_NAME, cleared_text

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
        is_worth = is_worth_clearing(draft, block)
        if is_worth and draft.is_sent(block.message) and draft.sent_tokens(block) >= LEAST_TOKENS:
            yield block, calls.get(block.tool_id)


def is_clearable(draft: Draft, block: Block) -> bool:
    """Whether a block is a result whose content may be text."""
    if block.kind != "tool_result":
        return False
    return draft.conversation.form.cleared_result(block, "") is not block.raw


def is_worth_clearing(draft: Draft, block: Block) -> bool:
    """Whether a block is a result that may be cleared, or a call with a long argument."""
    return is_clearable(draft, block) or has_long_arguments(block)


def placeholder(
    draft: Draft, block: Block, subject: str | None, store: ContentStore | None
) -> tuple[Any, str]:
    """What stands in the place of a cleared block, and its text to be counted. What was there goes
    to the store."""
    handle = kept_in(store, block, subject)
    if block.kind == "tool_use":
        return cleared_call(block, handle)
    text = cleared_text(block.tool, subject, block.tokens, handle)
    return draft.conversation.form.cleared_result(block, text), text


def kept_in(store: ContentStore | None, block: Block, subject: str | None) -> str | None:
    """Keep what stands in a block; its handle. What came from a store is not kept again."""
    if store is None or block.tool == FETCH_NAME:
        return None
    return store.put(block.text, tool=block.tool, subject=subject)


def saving(draft: Draft, block: Block) -> int:
    """About how many tokens are gone when a block is cleared."""
    return max(1, draft.sent_tokens(block) - PLACEHOLDER_TOKENS)


def spared_tokens(draft: Draft, found: Iterable[Clearable]) -> list[int]:
    """By message, and for the end: the tokens that clearing saves before it."""
    savings = [0] * (len(draft.conversation.messages) + 1)
    for block, _ in found:
        savings[block.message + 1] += saving(draft, block)
    return list(accumulate(savings))
