"""`ContextWindow`: the next request of a conversation: it fits, is valid, and costs less."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Literal, TypeVar, cast

from token_tracking.counting import Multiplier, TokenCounter
from token_tracking.pricing import PriceBook
from token_tracking.window.alerts import SHARES, Alerts
from token_tracking.window.budget import Budget, room_of
from token_tracking.window.documents import Documents
from token_tracking.window.errors import InvalidBudgetError
from token_tracking.window.forms import FORMS, Form, form_for_model, told_form
from token_tracking.window.policies.default import default_policy
from token_tracking.window.policies.policy import Policy
from token_tracking.window.prepared import Alert, Prepared
from token_tracking.window.preparing import Preparing
from token_tracking.window.remaining import Remaining, UsualRemaining
from token_tracking.window.sizes import Sizer
from token_tracking.window.spending import Caching, Spending

_Known = TypeVar("_Known")

_CACHING: Final[dict[str, Caching]] = {"5m": "5m", "1h": "1h"}


class ContextWindow:
    """One conversation with one model, kept inside its budget. It is not shared by conversations.

    Args:
        model: the name as the provider takes it.
        budget: tokens for each part; by default what the model's window leaves beside the answer.
        policy: one policy or several, in the order in which they act; by default
            `default_policy(budget)`. `()` edits nothing, and only places breakpoints.
        caching: the lifetime of the breakpoints that are placed; `None` places none.
        form: `anthropic` or `openai`; by default seen from the first messages, or from the model
            as long as these may be of either.
        window: the model's context window in tokens, where it is known better.
        remaining: how many requests are still to be expected; `LearnedRemaining` knows it from
            earlier conversations.
        prices: where prices are looked up.
        multipliers: learned ones, for counting; `counter` counts instead of the estimates.
        alert_at: shares of the window at which `on_alert` is called, once each on the way up.
        on_alert: a function of an `Alert`, plain or `async`. If it raises, that is only logged.
        clock: seconds since 1970, for prices and the lifetimes of caches.

    Raises:
        InvalidBudgetError: the budget contradicts itself or the model, or another argument is not
            what it has to be.
    """

    def __init__(
        self,
        model: str,
        budget: Budget | None = None,
        policy: Policy | Iterable[Policy] | None = None,
        *,
        caching: Caching | None = "5m",
        form: Literal["anthropic", "openai"] | None = None,
        window: int | None = None,
        remaining: Remaining | None = None,
        prices: PriceBook | None = None,
        multipliers: Mapping[str, Multiplier] | None = None,
        counter: TokenCounter | None = None,
        alert_at: Sequence[float] = SHARES,
        on_alert: Callable[[Alert], object] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.model: Final = _checked_model(model)
        self.budget: Final = _checked_budget(budget)
        self.room: Final = room_of(self.budget, model, window)
        self.policies: Final = _policies(policy, self.budget)
        self._form = _one_of("form", form, FORMS)
        self._caching: Caching | None = _one_of("caching", caching, _CACHING)
        self._remaining = remaining or UsualRemaining()
        self._prices = prices or PriceBook()
        self._sizer = Sizer(model, multipliers=multipliers, counter=counter)
        self._alerts = Alerts(alert_at, on_alert)
        self._clock = clock
        self._lock = asyncio.Lock()
        self._preparing: Preparing | None = None

    async def prepare(
        self,
        system: Any,
        messages: Sequence[object],
        tools: Sequence[Any] | None = None,
        documents: Documents | None = None,
    ) -> Prepared:
        """The next request. Hand in the whole history each time, as it came about (or go on from
        the messages that were handed back): what was decided once is done again by itself.

        Args:
            system: the system prompt, as the API takes it, or `None`.
            messages: dicts or objects of an SDK, ending with what is to be answered.
            tools: tool definitions, as the API takes them.
            documents: texts or `Document`s, the best first, or where to search for them; they go
                with the last message of the user, and leave when the next one comes.

        Raises:
            InvalidConversationError: the messages break a law of their API.
            DoesNotFitError: nothing that may be left out makes the request fit.
        """
        async with self._lock:
            prepared = await self._of(messages).prepare(
                system, messages, tools, documents, int(self._clock() * 1000)
            )
        await self._alerts.tell(prepared.alerts)
        return prepared

    def observe(self, response: object) -> None:
        """Take what the provider billed for the last request: later counts start from there.

        `response` is the SDK's object, a dict, or its usage; one without usage is passed over.
        """
        if self._preparing is not None:
            self._preparing.observe(response, int(self._clock() * 1000))

    def _of(self, messages: Sequence[object]) -> Preparing:
        form = self._form
        if form is None and isinstance(messages, list | tuple):
            # Texts alone are the same in either form; the first call or result tells.
            form = self._form = told_form(messages)
        preparing = self._preparing
        if preparing is None or (form is not None and preparing.form.name != form.name):
            preparing = self._preparing = self._begin(form or form_for_model(self.model))
        return preparing

    def _begin(self, form: Form) -> Preparing:
        spending = Spending(
            self.model,
            form=form.name,
            caching=self._caching,
            prices=self._prices,
            remaining=self._remaining,
        )
        return Preparing(
            model=self.model,
            budget=self.budget,
            room=self.room,
            policies=self.policies,
            form=form,
            caching=self._caching,
            sizer=self._sizer,
            alerts=self._alerts,
            spending=spending,
        )


def _policies(policy: object, budget: Budget) -> tuple[Policy, ...]:
    if policy is None:
        return default_policy(budget)
    given: Iterable[object] = (policy,)
    if isinstance(policy, Iterable) and not isinstance(policy, Policy | type | str):
        given = cast("Iterable[object]", policy)
    return tuple(map(_checked_policy, given))


def _checked_policy(policy: object) -> Policy:
    if isinstance(policy, type):
        raise InvalidBudgetError(
            f"policy has the class {policy.__name__}: give an instance, like {policy.__name__}()."
        )
    if not isinstance(policy, Policy):
        raise InvalidBudgetError(
            f"policy has {policy!r}: give a policy, like ClearToolResults(), or several in a list."
        )
    return policy


def _checked_model(model: object) -> str:
    if not isinstance(model, str) or not model.strip():
        raise InvalidBudgetError(f"model is {model!r}: give its name, as the provider takes it.")
    return model


def _checked_budget(budget: object) -> Budget:
    if budget is None:
        return Budget()
    if not isinstance(budget, Budget):
        raise InvalidBudgetError(f"budget is {budget!r}: give a Budget, or None.")
    return budget


def _one_of(name: str, given: object, known: Mapping[str, _Known]) -> _Known | None:
    if given is None:
        return None
    if not isinstance(given, str) or given not in known:
        raise InvalidBudgetError(f"{name} is {given!r}: give {' or '.join(known)}, or None.")
    return known[given]
