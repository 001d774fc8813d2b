"""The oldest turns are left out; and what all policies need that leave out turns."""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from token_tracking.window.draft import Draft
from token_tracking.window.edits import StandIn
from token_tracking.window.outgoing import Outgoing
from token_tracking.window.policies.checks import check_count, check_share
from token_tracking.window.policies.droppable import droppable_turns
from token_tracking.window.summaries import stand_in_text

TO: Final = 0.7
SMALL_TOKENS: Final = 10_000
"""A history that is not much larger than what a provider caches at all (1,024 to 4,096 tokens)."""

KEEP_TURNS: Final = 0


class SlidingWindow(Struct, frozen=True, kw_only=True):
    """Leaves out the oldest whole turns while the history has more than `max_tokens` tokens (by
    default the budget's `max_history_tokens`, else what the context budget leaves beside system
    prompt, tools and the last turn), or the prompt is over its budget.

    Each time it moves, everything behind the task is written to the cache again. So it moves
    seldom and far: down to the share `to` of the limit, and stays there until the limit is
    reached again. By default that is 0.7, and 1 for a limit of up to 10,000 tokens, so that as
    many of the newest turns stay as fit. The user's first message stays, as do the last turn and
    `keep_turns` before it, unless the prompt would not fit. A last turn that alone is too large is
    left to `Emergency`.

    Raises:
        InvalidBudgetError: `to` is not above 0 and up to 1, or a number is not whole and positive.
    """

    max_tokens: int | None = None
    to: float | None = None
    keep_turns: int = KEEP_TURNS

    def __post_init__(self) -> None:
        if self.to is not None:
            check_share("to", self.to)
        check_count("keep_turns", self.keep_turns, least=0)
        if self.max_tokens is not None:
            check_count("max_tokens", self.max_tokens)

    @property
    def name(self) -> str:
        """As in actions."""
        return "sliding_window"

    async def shape(self, draft: Draft) -> None:
        """Leave out turns, if there are too many."""
        history, target, why = self._aim(draft)
        if history <= target:
            return
        dropped, removed = self._drop_to(draft, history - target)
        for _ in range(self.keep_turns):
            if draft.excess <= 0:
                break
            more = self._drop_one(draft)
            dropped, removed = dropped + bool(more), removed + more
        if dropped:
            draft.note(self.name, f"left out the {dropped} oldest turns", why, removed)
        else:
            draft.note(self.name, "left out nothing", "no turn is left to leave out", done=False)

    def _aim(self, draft: Draft) -> tuple[int, int, str]:
        """The tokens of the history, those it may have, and why; more may it have where neither
        the window nor the prompt is full."""
        history = history_tokens(draft)
        room = history - draft.excess
        limit = self.max_tokens or draft.budget.max_history_tokens
        if limit is not None and history > limit:
            return history, self._down_from(min(limit, room)), "the history is over its limit"
        if history > room:
            return history, self._down_from(room), "the prompt is over its budget"
        return history, history, ""

    def _down_from(self, limit: int) -> int:
        to = self.to or (1.0 if limit <= SMALL_TOKENS else TO)
        return int(to * max(0, limit))

    def _drop_to(self, draft: Draft, tokens: int) -> tuple[int, int]:
        """Leave out the oldest turns until so many tokens are gone: how many, and their tokens."""
        spans: list[range] = []
        outgoing = draft.outgoing
        for span in old_turns(draft, self.keep_turns):
            if tokens <= 0:
                break
            tokens -= _size(outgoing, span)
            spans.append(span)
        return len(spans), leave_out(draft, spans)

    def _drop_one(self, draft: Draft) -> int:
        return leave_out(draft, old_turns(draft, 0)[:1])


def history_tokens(draft: Draft) -> int:
    """Of the turns before the last as they would be sent, without system messages in front."""
    return max(0, draft.history_tokens - draft.leading_tokens)


def old_turns(draft: Draft, keep: int) -> list[range]:
    """The messages that may be left out, turn by turn, the oldest first.

    Beside what `droppable_turns` keeps, the newest `keep` turns stay. What was left out already is
    not among them.
    """
    spans = [span for parts in droppable_turns(draft) for span in parts]
    outgoing = draft.outgoing
    return [span for span in spans[: max(0, len(spans) - keep)] if _size(outgoing, span)]


def tokens_in(draft: Draft, turns: Iterable[range]) -> int:
    """What is sent of turns, in tokens."""
    outgoing = draft.outgoing
    return sum(_size(outgoing, span) for span in turns)


def _size(outgoing: Outgoing, span: range) -> int:
    return outgoing.tokens_before(span.stop) - outgoing.tokens_before(span.start)


def task_message(draft: Draft) -> int | None:
    """The user's first message that has words, or the first at all; what stands for turns that are
    left out comes behind it."""
    messages = draft.conversation.messages
    users = (number for number in range(len(messages)) if messages[number]["role"] == "user")
    first = None
    for number in users:
        first = number if first is None else first
        if _speaks(draft, number):
            return number
    return first


def leave_out(
    draft: Draft, turns: list[range], summary: str | None = None, note: str | None = None
) -> int:
    """Leave out turns, and say so behind the task: with their summary (which has taken in that of
    earlier ones), or with their number (or a note) where that takes less than they did. Returns
    the tokens that the prompt is smaller by."""
    task = task_message(draft)
    if not turns or task is None:
        return 0
    before, removed = draft.tokens, tokens_in(draft, turns)
    standing = _standing(draft, task, turns, summary, note)
    for turn in turns:
        draft.drop(turn)
    draft.edits.stand_in = standing
    text = stand_in_text(
        standing.summary, standing.summarised, standing.left_out, note=standing.note
    )
    had = draft.edits.after.get(task)
    added = draft.sizer.text_now(text) - (had.tokens if had else 0)
    if summary is not None or added < removed:
        draft.put_after(task, text)
    return before - draft.tokens


def _standing(
    draft: Draft, task: int, turns: list[range], summary: str | None, note: str | None
) -> StandIn:
    had = draft.edits.stand_in or StandIn(task, 0)
    stop, note = max(had.stop, turns[-1].stop), note or had.note
    if summary is None:
        left_out = had.left_out + len(turns)
        return StandIn(task, stop, had.summary, had.summarised, left_out, note)
    return StandIn(task, stop, summary, had.summarised + len(turns), had.left_out, note)


def _speaks(draft: Draft, message: int) -> bool:
    conversation = draft.conversation
    return conversation.messages[message]["role"] == "user" and any(
        block.kind == "text" and block.text for block in conversation.blocks_of(message)
    )
