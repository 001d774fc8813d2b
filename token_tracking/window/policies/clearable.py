"""Old results and calls that may be cleared, and what that saves."""

import json
from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import Any, Final

from token_tracking.window.blocks import Block
from token_tracking.window.calls import (
    LONG_ARGUMENT,
    arguments_of,
    cleared_call,
    has_long_arguments,
)
from token_tracking.window.content_store import ContentStore
from token_tracking.window.content_store.contract import ContentTooLargeError
from token_tracking.window.draft import Draft
from token_tracking.window.errors import ContentStoreError
from token_tracking.window.placeholders import FETCH_NAME, cleared_text

LEAST_TOKENS: Final = 100
"""Of a block that is worth clearing: what stands in its place has about half as many."""

PLACEHOLDER_TOKENS: Final = 50
"""About what stands in a block's place."""

_STORE: Final = "content_store"
_FAILED: Final = "keep what is taken out: it cannot be fetched"
_TOO_LARGE: Final = "keep all that is taken out: what is too large cannot be fetched"
"""What a store did not do, as in actions."""

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
    handle = kept_in(draft, store, block, subject)
    if block.kind == "tool_use":
        return cleared_call(block, handle)
    text = cleared_text(block.tool, subject, block.tokens, handle)
    if block.flat_tokens:
        text = f"{text[:-1]} It held images or documents too, which are not kept.]"
    return draft.conversation.form.cleared_result(block, text), text


def kept_in(
    draft: Draft, store: ContentStore | None, block: Block, subject: str | None
) -> str | None:
    """Keep what stands in a block; its handle. What came from a store is not kept again.

    `None` as well where the store fails, which an action tells once; in this request it is not
    asked again then, unless only that text was too large for it.
    """
    if store is None or block.tool == FETCH_NAME or _has_failed(draft, _FAILED):
        return None
    try:
        return store.put(_kept_text(block), tool=block.tool, subject=subject)
    except ContentTooLargeError as error:
        if not _has_failed(draft, _TOO_LARGE):
            draft.note(_STORE, _TOO_LARGE, str(error), done=False)
    except ContentStoreError as error:
        draft.note(_STORE, _FAILED, str(error), done=False)
    return None


def _has_failed(draft: Draft, how: str) -> bool:
    return any(action.policy == _STORE and action.what == how for action in draft.actions)


def _kept_text(block: Block) -> str:
    """What a fetch gives back: a result's text, a call's long argument as it was, or all arguments
    of a call that has several long ones."""
    if block.kind != "tool_use":
        return block.text
    arguments = arguments_of(block) or {}
    texts = [each if isinstance(each, str) else _json(each) for each in arguments.values()]
    long = [text for text in texts if len(text) >= LONG_ARGUMENT]
    return long[0] if len(long) == 1 else _json(arguments)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def saving(draft: Draft, block: Block) -> int:
    """About how many tokens are gone when a block is cleared."""
    return max(1, draft.sent_tokens(block) - PLACEHOLDER_TOKENS)


def spared_tokens(draft: Draft, found: Iterable[Clearable]) -> list[int]:
    """By message, and for the end: the tokens that clearing saves before it."""
    savings = [0] * (len(draft.conversation.messages) + 1)
    for block, _ in found:
        savings[block.message + 1] += saving(draft, block)
    return list(accumulate(savings))
