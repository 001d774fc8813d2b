"""A conversation starts afresh when it has grown large, between two turns."""

from typing import Final

from msgspec import Struct

from token_tracking.window.draft import Draft
from token_tracking.window.errors import InvalidBudgetError
from token_tracking.window.policies.checks import check_count, check_share
from token_tracking.window.policies.sliding import leave_out, old_turns, tokens_in
from token_tracking.window.policies.summarize import MAX_TOKENS, TIMEOUT, Asking, summarise
from token_tracking.window.summaries import Summariser

THRESHOLD: Final = 0.8
LEAST_SHARE: Final = 0.1
"""Of the prompt: where less can be left out, starting afresh would bring nothing."""


class AutoReset(Struct, frozen=True, kw_only=True):
    """Leaves out every earlier turn when the prompt passes `threshold` of the context budget; the
    user's first message stays, and `keep_turns` turns before the last.

    It acts only where the last message opens a turn, never while tools are being called. With a
    `summariser` the turns are summarised (see `Summarize`), and if that fails the history stays;
    without one the model reads `note` in their place, by default how many they were.

    Raises:
        InvalidBudgetError: a number makes no sense, or the summariser cannot be called.
    """

    threshold: float = THRESHOLD
    keep_turns: int = 0
    note: str | None = None
    summariser: Summariser | None = None
    max_tokens: int = MAX_TOKENS
    timeout: float = TIMEOUT

    def __post_init__(self) -> None:
        check_share("threshold", self.threshold)
        check_count("keep_turns", self.keep_turns, least=0)
        if self.note is not None and not self.note.strip():
            raise InvalidBudgetError("note is blank: give a text, or None.")
        _ = self.asking

    @property
    def name(self) -> str:
        """As in actions."""
        return "auto_reset"

    @property
    def asking(self) -> Asking | None:
        """How it asks for summaries, if it does."""
        if self.summariser is None:
            return None
        return Asking(summariser=self.summariser, max_tokens=self.max_tokens, timeout=self.timeout)

    async def shape(self, draft: Draft) -> None:
        """Start afresh, if it is time to."""
        if draft.tokens <= self.threshold * draft.room.context or not _opens_turn(draft):
            return
        turns = old_turns(draft, self.keep_turns)
        tokens = tokens_in(draft, turns)
        why = f"the prompt has passed {self.threshold:.0%} of its budget"
        if tokens < LEAST_SHARE * draft.tokens:
            why += ", and hardly anything of it is of earlier turns"
            draft.note(self.name, "did not start afresh", why, tokens, done=False)
        elif self.asking is not None and draft.budget.enable_summarization:
            await summarise(draft, self, turns, self.asking, f"started afresh: {why}")
        else:
            removed = leave_out(draft, turns, note=self.note)
            draft.note(self.name, f"started afresh without {len(turns)} turns", why, removed)


def _opens_turn(draft: Draft) -> bool:
    """Whether nothing follows the opening of the last turn, and another turn came before."""
    conversation = draft.conversation
    return len(conversation.turns) > 1 and len(conversation.rounds(-1)) == 1
