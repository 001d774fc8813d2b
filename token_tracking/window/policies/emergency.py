"""The last resort: whatever happens, the request fits, or an error says why it cannot."""

from functools import partial
from itertools import chain
from math import ceil
from typing import Final

from msgspec import Struct

from token_tracking.window.blocks import Block
from token_tracking.window.calls import call_subject
from token_tracking.window.content_store import ContentStore
from token_tracking.window.draft import Draft
from token_tracking.window.errors import DoesNotFitError
from token_tracking.window.excerpts import head_and_tail
from token_tracking.window.off_loop import off_loop
from token_tracking.window.placeholders import capped_note, cleared_text
from token_tracking.window.policies.checks import check_share
from token_tracking.window.policies.clearable import (
    Clearable,
    clearable,
    is_clearable,
    kept_in,
    placeholder,
    saving,
    spared_tokens,
)
from token_tracking.window.policies.droppable import (
    drop_oldest,
    droppable_rounds,
    droppable_turns,
    tokens_without,
)

AIM: Final = 0.9
"""The share of the budget that it comes down to once it acts: a tenth of 200,000 tokens is the
batch that was cheapest on replays of real sessions, and the next request has room to grow."""

UNMEASURED_ERROR: Final = 0.2
"""Taken where none was measured: between the quick estimate's 15% and the largest one's 27%."""

LEAST_KEPT: Final = 200
"""Tokens that stay of a result of the last round: enough for its head and its tail."""


class Emergency(Struct, frozen=True, kw_only=True):
    """Makes the prompt fit, with the least harm first and each step only as far as needed.

    1. Old results and long arguments are cleared, the oldest first; those of the last round stay.
    2. The oldest turns are left out, but for what the user said first.
    3. The oldest rounds of the last turn are left out: an answer with its results, never half.
    4. The results of the last round are cut to their heads and tails; first of all, and to half
       of the room, where all other steps would not do.
    5. The documents of this turn are left out.

    It acts when the prompt passes its budget, or could pass the model's window by the measured
    error (p95) of what is estimated: all of it before the first billed usage, later only what is
    new. It then comes down to `aim` of the budget, so that it does not act on every request. What
    it took out stays out. Put it behind all other policies. With a `store` the model gets what was
    cleared back with the tool `fetch_content`.

    Raises:
        InvalidBudgetError: `aim` is no share above 0 and up to 1.
    """

    aim: float = AIM
    store: ContentStore | None = None

    def __post_init__(self) -> None:
        check_share("aim", self.aim)

    @property
    def name(self) -> str:
        """As in actions."""
        return "emergency"

    async def shape(self, draft: Draft) -> None:
        """Make it fit.

        Raises:
            DoesNotFitError: what may never be left out is too large.
        """
        safe = safe_tokens(draft)
        if draft.tokens <= min(draft.room.context, safe):
            return
        target = min(int(self.aim * draft.room.context), safe)
        await off_loop(self._fit, draft, target)  # a store, or a large result, may take long
        if draft.excess > 0:
            draft.reserved = 0  # documents give way
        if draft.excess > 0:
            raise DoesNotFitError(why_not(draft))

    def _fit(self, draft: Draft, target: int) -> None:
        last = draft.tokens_of(draft.conversation.rounds(-1)[-1])
        half = (target - draft.surroundings.tokens) // 2
        if last > half and _least(draft) > target:  # it will be cut: let it leave room for others
            self._cap(draft, last - half)
        for _ in range(2):  # the second time what the first could only estimate is known
            if draft.tokens > target:
                self._edit(draft, target)
        for step in (self._cap, self._leave_out):
            if draft.tokens > target:
                step(draft, draft.tokens - target)

    def _edit(self, draft: Draft, target: int) -> None:
        """Clear, and leave out what is still too much then: that first, to clear less in vain."""
        found = list(clearable(draft))
        spared = spared_tokens(draft, found)
        short = draft.tokens - target - spared[-1]
        turns, rounds = droppable_turns(draft), droppable_rounds(draft)
        for spans, what in ((turns, "turns"), (rounds, "rounds of the last turn")):
            count, removed = drop_oldest(draft, spans, spared, short)
            short -= removed
            if count:
                self._note(draft, f"left out the oldest {count} {what}", removed)
        kept = [each for each in found if draft.is_sent(each[0].message)]
        self._clear(draft, kept, draft.tokens - target)

    def _clear(self, draft: Draft, found: list[Clearable], excess: int) -> None:
        removed = done = 0
        while removed < excess and done < len(found):
            start, expected = done, removed
            while expected < excess and done < len(found):
                expected += saving(draft, found[done][0])
                done += 1
            removed += self._replace(draft, found[start:done])
        if removed:
            self._note(draft, f"cleared {done} old results and arguments", removed)

    def _replace(self, draft: Draft, found: list[Clearable]) -> int:
        """Put placeholders in the places of blocks; the tokens that it takes out."""
        made = [placeholder(draft, block, call_subject(call), self.store) for block, call in found]
        together = "\n".join(text for _, text in made)  # counted at once, which takes a tenth
        share = draft.sizer.text_now(together) / max(1, len(together))
        removed = 0
        for (block, _), (raw, text) in zip(found, made, strict=True):
            tokens = ceil(share * (len(text) + 1))
            sent = draft.sent_tokens(block)
            if tokens < sent:
                draft.replace(block, raw, tokens)
                removed += sent - tokens
        return removed

    def _cap(self, draft: Draft, excess: int) -> None:
        last = draft.conversation.rounds(-1)[-1]
        found = [block for block in draft.blocks_of(last) if is_clearable(draft, block)]
        size = _cap_for([draft.sent_tokens(block) for block in found], excess)
        large = [block for block in found if draft.sent_tokens(block) > size]
        removed = sum(self._cut(draft, block, size) for block in large)
        if removed:
            what = f"kept {size:,} tokens each of {len(large)} results of the last round"
            self._note(draft, what, removed)

    def _cut(self, draft: Draft, block: Block, size: int) -> int:
        """Keep the head and the tail of a result; the tokens that it takes out."""
        count, subject = draft.sizer.text_now, draft.subject(block)
        handle = kept_in(draft, self.store, block, subject)
        note = partial(capped_note, handle=handle)
        tokens = block.tokens - block.flat_tokens
        text = head_and_tail(block.text, size, count, tokens=tokens, note=note).text
        if not text.strip():
            text = cleared_text(block.tool, subject, block.tokens, handle)
        kept, sent = count(text), draft.sent_tokens(block)
        if kept >= sent:
            return 0
        draft.replace(block, draft.conversation.form.cleared_result(block, text), kept)
        return sent - kept

    def _leave_out(self, draft: Draft, excess: int) -> None:
        del excess
        message = draft.leaving
        found = None if message is None else draft.edits.before.pop(message, None)
        if found is not None and message is not None:
            draft.edits.touch(message)
            self._note(draft, "left the documents out", found.tokens)

    def _note(self, draft: Draft, what: str, tokens: int) -> None:
        draft.note(self.name, what, "the prompt would not fit otherwise", tokens)


def safe_tokens(draft: Draft) -> int:
    """As many prompt tokens as do not pass the model's window if what is estimated has its
    measured error (p95). What was billed once is not in doubt."""
    error, window = draft.sizer.error_p95, draft.room.window
    error = UNMEASURED_ERROR if error is None else error
    if not draft.surroundings.overhead:  # nothing was billed so far
        return int(window / (1 + error))
    new = draft.tokens_of(range(draft.known, len(draft.conversation.messages)))
    return window - ceil(error * new)


def why_not(draft: Draft) -> str:
    """What is too large though all that may be left out is gone, and what to do."""
    room, before = draft.room.context, draft.surroundings.counted
    if before > room:
        return (
            f"The system prompt and the tools alone have {before:,} tokens of a budget of {room:,}:"
            " shorten them, or raise max_context_tokens."
        )
    largest = max(draft.outgoing.sent, key=lambda each: each.tokens)
    return (
        f"With all that may be left out gone, the prompt still has {draft.tokens:,} tokens of a"
        f" budget of {room:,}. Message {largest.source} ({largest.message['role']}), which has to"
        f" stay, has {largest.tokens:,} of them: shorten or split it, or raise max_context_tokens."
    )


def _least(draft: Draft) -> int:
    """The prompt tokens with all old results cleared, and all old turns and rounds left out."""
    spared = spared_tokens(draft, clearable(draft))
    gone = chain(droppable_turns(draft), droppable_rounds(draft))
    return draft.tokens - spared[-1] - sum(tokens_without(draft, parts, spared) for parts in gone)


def _cap_for(sizes: list[int], excess: int) -> int:
    """How large each of some results may be so that `excess` tokens are gone from all of them:
    the small ones stay whole."""
    left = max(0, sum(sizes) - excess)
    for place, size in enumerate(sorted(sizes)):
        share = left // (len(sizes) - place)
        if size > share:
            return max(LEAST_KEPT, share)
        left -= size
    return max(LEAST_KEPT, *sizes) if sizes else LEAST_KEPT
