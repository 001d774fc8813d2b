"""How the next request of a conversation is made."""

from collections.abc import Sequence
from typing import Any

from token_tracking.window.alerts import Alerts
from token_tracking.window.anchor import billed_usage
from token_tracking.window.binding import binds_thinking
from token_tracking.window.budget import Budget, Room
from token_tracking.window.documents import Documents
from token_tracking.window.draft import Draft
from token_tracking.window.errors import DoesNotFitError
from token_tracking.window.forms import Form
from token_tracking.window.given import check_breakpoints, check_given, without_system
from token_tracking.window.history import LONG, History
from token_tracking.window.off_loop import off_loop
from token_tracking.window.placement import Placed, place
from token_tracking.window.policies.policy import Policy
from token_tracking.window.prepared import Alert, Prepared
from token_tracking.window.rag import put_documents, reserved_for_documents
from token_tracking.window.seen import is_long
from token_tracking.window.sizes import Sizer
from token_tracking.window.spending import Caching, Spending
from token_tracking.window.surroundings import Surroundings
from token_tracking.window.tally import filling, tally


class Preparing:
    """The state of one window. `ContextWindow` documents the arguments."""

    def __init__(
        self,
        *,
        model: str,
        budget: Budget,
        room: Room,
        policies: tuple[Policy, ...],
        form: Form,
        caching: Caching | None,
        sizer: Sizer,
        alerts: Alerts,
        spending: Spending,
    ) -> None:
        self.form = form
        self._model = model
        self._budget = budget
        self._room = room
        self._policies = policies
        self._caching: Caching | None = caching
        self._sizer = sizer
        self._alerts = alerts
        self._spending = spending
        self._history = History(form, sizer)
        self._surroundings = Surroundings(sizer)
        self._binds_thinking = binds_thinking(model)
        self._is_anchored = False
        self._has_sent = False

    async def prepare(
        self,
        system: Any,
        messages: Sequence[object],
        tools: Sequence[Any] | None,
        documents: Documents | None,
        at_ms: int,
    ) -> Prepared:
        """The next request."""
        history = self._history
        check_given(system, messages, tools)
        messages = without_system(self.form, system, messages)
        await history.take_in(messages)
        await self._take_in_surroundings(system, tools)
        draft = self._draft(at_ms)
        draft.reserved = reserved_for_documents(draft, documents)
        for policy in self._policies:
            await policy.shape(draft)
        draft.reserved = 0
        await put_documents(draft, documents)
        if self._binds_thinking:
            draft.forget_thinking()
        if draft.excess > 0:
            raise DoesNotFitError(_why_not(draft))
        await history.sync()
        check_breakpoints(self.form, history.outgoing, system, tools)
        await history.check_sent()
        return self._finish(draft, system, tools)

    def observe(self, response: object, at_ms: int) -> None:
        """Take what the last request was billed for."""
        billed = billed_usage(response)
        if billed is None or not self._has_sent:
            return
        self._spending.observe(billed.total, at_ms)
        messages = self._history.outgoing.tokens
        self._surroundings.anchor(billed.prompt.prompt_tokens, messages)
        self._is_anchored = True
        self._history.was_answered(billed.output)

    async def _take_in_surroundings(self, system: Any, tools: Sequence[Any] | None) -> None:
        if is_long((system, tools), LONG):
            await off_loop(self._surroundings.take_in, system, tools)
        else:
            self._surroundings.take_in(system, tools)

    def _draft(self, at_ms: int) -> Draft:
        draft = Draft(
            history=self._history,
            surroundings=self._surroundings,
            budget=self._budget,
            room=self._room,
            cache=self._spending.cache,
            at_ms=at_ms,
            sizer=self._sizer,
            model=self._model,
        )
        before = self._surroundings.tokens
        draft.economics = self._spending.economics(
            tokens=draft.tokens,
            readable=draft.readable(draft.known),
            alone=before + self._history.alone(),
            alone_kept=self._alone_kept(draft),
            at_ms=at_ms,
            is_fetching=self._history.is_fetching,
        )
        return draft

    def _finish(self, draft: Draft, system: Any, tools: Sequence[Any] | None) -> Prepared:
        history, before = self._history, self._surroundings.tokens
        placed = place(draft, system, tools, self._caching)
        use = self._spending.cache.send(
            placed.breakpoints,
            draft.tokens_before_block,
            blocks=1 + history.outgoing.blocks,
            unchanged=draft.unchanged_blocks,
            at_ms=draft.at_ms,
        )
        costs = self._spending.send(
            use,
            draft.economics,
            alone=before + history.alone(),
            alone_kept=self._alone_kept(draft),
            at_ms=draft.at_ms,
            is_fetching=history.is_fetching,
        )
        tokens = tally(draft, is_anchored=self._is_anchored)
        alerts = self._check(draft, tokens.total)
        before = len(placed.messages) - len(history.outgoing.sent)  # OpenAI's system prompt
        history.was_sent(placed.messages[before:])  # a copy: the caller's list may grow
        self._has_sent = True
        return _prepared(draft, placed, tokens=tokens, costs=costs, alerts=alerts)

    def _alone_kept(self, draft: Draft) -> int:
        """The tokens at the front that would be unchanged, had nothing been edited."""
        if self._surroundings.has_changed:
            return 0
        return self._surroundings.tokens + self._history.alone(draft.known)

    def _check(self, draft: Draft, tokens: int) -> tuple[Alert, ...]:
        return self._alerts.check(tokens, self._room.context, lambda: filling(draft))


def _prepared(draft: Draft, placed: Placed, **found: Any) -> Prepared:
    return Prepared(
        form=draft.conversation.form.name,
        messages=placed.messages,
        system=placed.system,
        tools=placed.tools,
        params=dict(draft.params),
        max_tokens=draft.room.answer(draft.tokens),
        actions=tuple(draft.actions),
        breakpoints=tuple(placed.breakpoints),
        **found,
    )


def _why_not(draft: Draft) -> str:
    """What does not fit, and what to do."""
    before, room = draft.surroundings.counted, draft.room.context
    last = draft.tokens - before - draft.history_tokens
    if before > room:
        return (
            f"The system prompt and the tools alone have {before:,} tokens of a budget of {room:,}:"
            " shorten them, or raise max_context_tokens."
        )
    if before + last > room:
        return (
            f"The last turn has {last:,} tokens, and the budget of {room:,} leaves"
            f" {room - before:,} beside the system prompt and the tools: shorten it, add Emergency"
            " or CapToolResults to the policy, or raise max_context_tokens."
        )
    return (
        f"The prompt has {draft.tokens:,} tokens of a budget of {room:,}, and no policy may leave"
        " out more: add Emergency() to the policy, or raise max_context_tokens."
    )
