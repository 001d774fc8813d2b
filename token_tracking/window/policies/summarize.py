"""Old turns are replaced by a running summary."""

from typing import Final

from msgspec import Struct

from token_tracking.window.draft import Draft
from token_tracking.window.economics import OUTPUT_RATIO, Decision, Economics
from token_tracking.window.errors import InvalidBudgetError, SummaryError
from token_tracking.window.forms.plain import plain_value
from token_tracking.window.off_loop import off_loop
from token_tracking.window.policies.checks import check_count, check_share
from token_tracking.window.policies.policy import Policy
from token_tracking.window.policies.sliding import (
    history_tokens,
    leave_out,
    old_turns,
    task_message,
    tokens_in,
)
from token_tracking.window.summaries import Summariser, SummaryRequest, ask, stand_in_text

KEEP_TURNS: Final = 3
MAX_TOKENS: Final = 1_000
TIMEOUT: Final = 30.0
LEAST_TOKENS: Final = 200
"""Turns of fewer tokens are not worth a call."""

SHORTER_BY: Final = 4
"""A summary may have a token for as many new ones, up to its limit."""

AGAIN: Final = 0.1
"""After a failure a summariser is asked again once the conversation has grown by this share."""


class Asking(Struct, frozen=True, kw_only=True):
    """How summaries are asked for: of how many tokens at most, within how many seconds.

    Raises:
        InvalidBudgetError: a number makes no sense, or the summariser cannot be called.
    """

    summariser: Summariser
    max_tokens: int = MAX_TOKENS
    timeout: float = TIMEOUT

    def __post_init__(self) -> None:
        if not callable(self.summariser):
            raise InvalidBudgetError(
                f"summariser is {self.summariser!r}: give a function of a SummaryRequest."
            )
        check_count("max_tokens", self.max_tokens)
        if not self.timeout > 0:
            raise InvalidBudgetError(f"timeout is {self.timeout!r}: give seconds above 0.")

    def limit(self, draft: Draft, tokens: int) -> int:
        """The tokens that a summary may have which takes in turns of so many."""
        return max(1, min(self.max_tokens, _had_tokens(draft) + tokens // SHORTER_BY))


class Summarize(Struct, frozen=True):
    """Replaces all turns but the newest `keep_turns` before the last by a summary of up to
    `max_tokens` tokens. It stands behind the user's first message, and takes in the one before.

    It acts from the share `threshold` of the context budget on (by default the budget's
    `summarize_threshold`), and where the history passes `max_history_tokens`; never with
    `enable_summarization` off. Below these limits themselves it acts only where that pays, with
    the price of the summary: `price_ratio` is what a token costs the summariser, in tokens of the
    conversation's model (0.2 for one at a fifth of the price). `is_gated=False` does not ask.

    If the summariser fails, takes more than `timeout` seconds, or gives nothing that makes the
    prompt smaller, the history stays, and it is asked again when that has grown by a tenth.

    Raises:
        InvalidBudgetError: a number makes no sense, or the summariser cannot be called.
    """

    summariser: Summariser
    threshold: float | None = None
    keep_turns: int = KEEP_TURNS
    max_tokens: int = MAX_TOKENS
    timeout: float = TIMEOUT
    price_ratio: float = 1.0
    is_gated: bool = True

    def __post_init__(self) -> None:
        if self.threshold is not None:
            check_share("threshold", self.threshold)
        check_count("keep_turns", self.keep_turns, least=0)
        if not self.price_ratio >= 0:
            raise InvalidBudgetError(f"price_ratio is {self.price_ratio!r}: give 0 or more.")
        _ = self.asking

    @property
    def name(self) -> str:
        """As in actions."""
        return "summarize"

    @property
    def asking(self) -> Asking:
        """How it asks for summaries."""
        return Asking(summariser=self.summariser, max_tokens=self.max_tokens, timeout=self.timeout)

    async def shape(self, draft: Draft) -> None:
        """Summarise old turns, if it is time to."""
        why = self._why(draft)
        if why is None:
            return
        turns = old_turns(draft, self.keep_turns)
        tokens = tokens_in(draft, turns)
        decision = self._weigh(draft, turns, tokens)
        if tokens < LEAST_TOKENS:
            refusal = f"the old turns have less than {LEAST_TOKENS} tokens"
        else:
            refusal = None if self._must(draft) or decision.pays else decision.why
        if refusal is not None:
            what = f"{len(turns)} turns could be summarised"
            draft.note(self.name, what, refusal, tokens, done=False)
        elif await summarise(draft, self, turns, self.asking, why):
            draft.economics.spend(decision, self._price(draft, tokens))

    def _why(self, draft: Draft) -> str | None:
        """Why it is time for a summary, if it is."""
        if not draft.budget.enable_summarization:
            return None
        if _is_history_over(draft):
            return "the history is over its limit"
        share = self.threshold or draft.budget.summarize_threshold
        if draft.tokens > share * draft.room.context:
            return f"the prompt has passed {share:.0%} of its budget"
        return None

    def _must(self, draft: Draft) -> bool:
        return not self.is_gated or draft.excess > 0 or _is_history_over(draft)

    def _weigh(self, draft: Draft, turns: list[range], tokens: int) -> Decision:
        """Whether it pays to have a summary written, and what is behind it cached again."""
        limit = self.asking.limit(draft, tokens)
        grown = limit - _had_tokens(draft)
        cached = tokens_in(draft, (span for span in turns if span.stop <= draft.known))
        before = draft.readable(task_message(draft) or 0)
        rewritten = draft.readable(draft.known) - before - cached
        decision = draft.economics.weigh(
            removed_cached=max(0, cached - grown),
            removed_new=tokens - cached,
            rewritten=max(0, rewritten + grown),
        )
        return _with_price(draft.economics, decision, self._price(draft, tokens))

    def _price(self, draft: Draft, tokens: int) -> float:
        """What the summary costs, in input tokens of the conversation's model."""
        limit = self.asking.limit(draft, tokens)
        return self.price_ratio * (tokens + OUTPUT_RATIO * limit)


async def summarise(
    draft: Draft, policy: Policy, turns: list[range], asking: Asking, why: str
) -> bool:
    """Replace turns by their summary, for a policy; whether that was done. What was is noted."""
    failure = draft.memory(policy, _Failure)
    tokens = tokens_in(draft, turns)
    try:
        failure.check(draft)
        limit = asking.limit(draft, tokens)
        request = await off_loop(_request, draft, turns, limit)
        summary = await ask(asking.summariser, request, asking.timeout)
        _check_progress(draft, summary, len(turns), tokens)
    except SummaryError as error:
        failure.note(draft)
        draft.note(policy.name, "the history stays as it is", str(error), done=False)
        return False
    removed = leave_out(draft, turns, summary)
    draft.note(policy.name, f"summarised {len(turns)} turns", why, removed)
    return True


class _Failure(Struct):
    """When a summariser failed last: at how many messages, and by how many tokens the conversation
    has to grow from there. Nobody is asked the same again."""

    messages: int = 0
    tokens: float = 0.0

    def check(self, draft: Draft) -> None:
        """Raise SummaryError while it is too early."""
        new = draft.blocks_of(range(self.messages, len(draft.conversation.messages)))
        if self.tokens and sum(block.tokens for block in new) < self.tokens:
            raise SummaryError("the summariser failed; it is asked again when there is more to say")

    def note(self, draft: Draft) -> None:
        """The summariser failed now; or did before, and was not asked."""
        messages = len(draft.conversation.messages)
        new = sum(block.tokens for block in draft.blocks_of(range(self.messages, messages)))
        if not self.tokens or new >= self.tokens:
            self.messages, self.tokens = messages, max(1.0, AGAIN * draft.outgoing.tokens)


def _request(draft: Draft, turns: list[range], max_tokens: int) -> SummaryRequest:
    outgoing, conversation = draft.outgoing, draft.conversation
    spans = [(outgoing.sent_before(turn.start), outgoing.sent_before(turn.stop)) for turn in turns]
    sent = [each.message for first, stop in spans for each in outgoing.sent[first:stop]]
    had, task = draft.edits.stand_in, task_message(draft) or 0
    said = [block.text for block in conversation.blocks_of(task) if block.kind == "text"]
    return SummaryRequest(
        messages=[plain_value(message) for message in sent],
        previous=had.summary if had else None,
        task="\n".join(said),
        turns=len(turns),
        max_tokens=max_tokens,
        model=draft.model,
        form=conversation.form.name,
    )


def _check_progress(draft: Draft, summary: str, turns: int, tokens: int) -> None:
    """See that the prompt becomes smaller.

    Raises:
        SummaryError: it does not.
    """
    had = draft.edits.stand_in
    text = stand_in_text(summary, turns, had.left_out if had else 0)
    size = draft.sizer.text_now(text)
    if size >= tokens + _had_tokens(draft):
        raise SummaryError(
            f"the summary has {size:,} tokens, no fewer than the {tokens:,} that it stands for"
        )


def _with_price(economics: Economics, decision: Decision, price: float) -> Decision:
    """The decision where the edit itself has a price, in input tokens."""
    now, later = decision.now + price, decision.later
    if later <= economics.margin * now:
        return Decision(False, now, later, "would not pay for the summary")
    if now > 0 and economics.spent + now > economics.guard * economics.alone:
        return Decision(False, now, later, "not yet: it would cost too much if it ended here")
    return Decision(True, now, later, "pays by the requests that are expected")


def _is_history_over(draft: Draft) -> bool:
    limit = draft.budget.max_history_tokens
    return limit is not None and history_tokens(draft) > limit


def _had_tokens(draft: Draft) -> int:
    """Of the text that stands for turns by now."""
    text = draft.edits.after.get(task_message(draft) or 0)
    return text.tokens if text else 0
