"""Large tool results are cut when they enter, before they are written to the cache."""

from functools import partial
from typing import Any, Final, Literal, cast, get_args

from msgspec import Struct

from token_tracking.window.blocks import Block
from token_tracking.window.content_store import ContentStore
from token_tracking.window.draft import Draft
from token_tracking.window.errors import InvalidBudgetError
from token_tracking.window.excerpts import head_and_tail, matching
from token_tracking.window.off_loop import off_loop
from token_tracking.window.placeholders import FETCH_NAME, capped_note
from token_tracking.window.policies.checks import check_count, check_tools
from token_tracking.window.policies.clearable import is_clearable, kept_in

MAX_TOKENS: Final = 8000

Keep = Literal["head_and_tail", "matching"]
"""What stays of a result."""


class CapToolResults(Struct, frozen=True, kw_only=True):
    """Keeps of a new tool result what fits into `max_tokens`: its head and tail, or with
    `keep="matching"` what matches the call's arguments and the user's last message.

    Nothing that was sent is changed, so it costs nothing; but what the model never saw it cannot
    use. With a `store` the rest is there for the tool `fetch_content`.

    Raises:
        InvalidBudgetError: `max_tokens` is no whole positive number, or another option makes no
            sense.
    """

    max_tokens: int = MAX_TOKENS
    keep: Keep = "head_and_tail"
    exclude_tools: frozenset[str] = frozenset()
    store: ContentStore | None = None

    def __post_init__(self) -> None:
        check_count("max_tokens", self.max_tokens)
        check_tools("exclude_tools", self.exclude_tools)
        if self.keep not in get_args(Keep):
            raise InvalidBudgetError(f"keep is {self.keep!r}: give one of {get_args(Keep)}.")

    @property
    def name(self) -> str:
        """As in actions."""
        return "cap_tool_results"

    async def shape(self, draft: Draft) -> None:
        """Cut the new results that are too large."""
        messages = range(draft.known, len(draft.conversation.messages))
        found = [each for each in draft.blocks_of(messages) if each.tokens > self.max_tokens]
        if found:  # counting what is left of them, and a store, would hold up the event loop
            await off_loop(self._cut, draft, found)

    def _cut(self, draft: Draft, found: list[Block]) -> None:
        large = [block for block in found if self._is_large(draft, block)]
        removed = sum(self._cap(draft, block) for block in large)
        if removed:
            what = f"kept {self.max_tokens:,} tokens each of {len(large)} new results"
            draft.note(self.name, what, "a result is larger than the cap", removed)

    def _is_large(self, draft: Draft, block: Block) -> bool:
        return (
            block.tokens - block.flat_tokens > self.max_tokens
            and is_clearable(draft, block)
            and block.tool != FETCH_NAME
            and block.tool not in self.exclude_tools
            and not draft.is_replaced(block)
        )

    def _cap(self, draft: Draft, block: Block) -> int:
        subject = draft.subject(block)
        handle = kept_in(draft, self.store, block, subject)
        text = self._kept(draft, block, subject, handle)
        tokens = draft.sizer.text_now(text) + block.flat_tokens
        if tokens >= block.tokens:
            return 0
        raw = draft.conversation.form.cleared_result(block, text)
        draft.replace(block, _with_media(block, raw), tokens)
        return block.tokens - tokens

    def _kept(self, draft: Draft, block: Block, subject: str | None, handle: str | None) -> str:
        count, size = draft.sizer.text_now, block.tokens - block.flat_tokens
        if self.keep == "matching":
            query = f"{subject or ''} {draft.last_question}".strip()
            note = capped_note(size, handle=handle)
            room = self.max_tokens - count(note)
            found = matching(block.text, query, room, count, tokens=size)
            if found is not None:
                left = capped_note(found.left_out_tokens, found.left_out_lines, handle)
                return f"{found.text}\n{left}"
        note_for = partial(capped_note, handle=handle)
        return head_and_tail(block.text, self.max_tokens, count, tokens=size, note=note_for).text


def _with_media(block: Block, raw: dict[str, Any]) -> dict[str, Any]:
    """What stands in a result's place, and the images and documents that the result had."""
    given: object = cast("dict[str, Any]", block.raw).get("content")
    if not block.flat_tokens or not isinstance(given, list):
        return raw
    parts = cast("list[dict[str, Any]]", given)
    media = [part for part in parts if part.get("type") != "text"]
    return {**raw, "content": [{"type": "text", "text": raw["content"]}, *media]}
