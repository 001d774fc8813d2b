"""One conversation's window, and what it does to a request."""

import asyncio
import time
from contextlib import suppress
from typing import Any, Final, NamedTuple, cast

from token_tracking.errors import UnknownModelError
from token_tracking.pricing import PriceBook
from token_tracking.usage import Usage
from token_tracking.window import (
    Budget,
    ContextWindow,
    DoesNotFitError,
    InvalidBudgetError,
    InvalidConversationError,
    Prepared,
)
from token_tracking_server.gateway.exchanges import Answer, Ask, Send
from token_tracking_server.gateway.managing.requests import ChatBody
from token_tracking_server.gateway.managing.strategies import policies_of
from token_tracking_server.gateway.managing.summarising import UpstreamSummariser
from token_tracking_server.gateway.managing.tallies import Tally
from token_tracking_server.gateway.metrics import Gauges

_OWN_TOOLS: Final = (None, "custom", "function")
"""Types of tools that the caller runs. With the provider's own, one response may add up several
prompts, and its usage tells the size of none."""


class Managed(NamedTuple):
    """What a window made of a request, and the request's number."""

    prepared: Prepared
    number: int


class ManagedWindow:
    """A `ContextWindow`, told by the gateway's requests and responses."""

    def __init__(
        self,
        window: ContextWindow,
        summariser: UpstreamSummariser,
        gauges: Gauges,
        prices: PriceBook,
        tally: Tally,
    ) -> None:
        self._window = window
        self._prices = prices
        self._summariser = summariser
        self._gauges = gauges
        self._tally = tally
        self._request = 0
        self._turn = asyncio.Lock()

    @property
    def output(self) -> int:
        """The tokens that are kept free for the answer."""
        return self._window.room.output

    async def prepare(
        self, body: ChatBody, ask: Ask, send: Send, *, must_fit: bool = False
    ) -> Managed | None:
        """The next request; `None` where it is to go as it is: then the API says what is wrong.

        Raises:
            DoesNotFitError: nothing makes it fit, and it `must_fit`: its budget is smaller than
                what the API would refuse.
        """
        async with self._turn:
            self._request += 1
            if self._request == 1:
                await asyncio.to_thread(self._look_up_prices)
            self._summariser.asked_by(ask, send)
            try:
                prepared = await self._window.prepare(body.system, body.messages, body.tools)
            except InvalidConversationError:
                self._gauges.left_alone("invalid")
                return None
            except DoesNotFitError:
                if must_fit:
                    raise
                self._gauges.left_alone("does_not_fit")
                return None
            finally:
                self._summariser.forget()
            self._tally.count(self._window, prepared, len(body.messages))
            return Managed(prepared, self._request)

    def follow(self, answer: Answer, body: ChatBody, managed: Managed) -> None:
        """Take what the answer to a request is billed for, when it is over."""
        if not _tells_prompt(body):
            return

        async def observe(over: Answer) -> None:
            usages = [reply.usage for reply in over.replies if reply.usage is not None]
            if usages and managed.number == self._request:  # else others were prepared since
                self._window.observe(_billed(usages[-1]))

        answer.at_end(observe)

    def _look_up_prices(self) -> None:
        """For some models the first lookup imports a package: half a second, off the event loop."""
        with suppress(UnknownModelError):
            self._prices.rates(self._window.model, time.time_ns() // 1_000_000)


def open_window(
    model: str,
    strategy: str,
    gauges: Gauges,
    *,
    budget: Budget,
    body: ChatBody,
    prices: PriceBook,
    tally: Tally,
) -> ManagedWindow | None:
    """A window for a conversation; `None` where the model's limits leave no room for such a budget:
    the API refuses it then.

    Raises:
        BadRequestError: no strategy is called so.
    """
    summariser = UpstreamSummariser()
    policies = policies_of(strategy, budget, summariser)
    # The API's own caching of the whole request is the caller's choice, and takes a breakpoint.
    caching = None if "cache_control" in body.fields else "5m"
    try:
        window = ContextWindow(
            model, budget, policies, form=body.form, caching=caching, prices=prices
        )
    except InvalidBudgetError:
        return None
    return ManagedWindow(window, summariser, gauges, prices, tally)


def changes(body: ChatBody, prepared: Prepared) -> dict[str, Any]:
    """The fields of a body that a prepared request has otherwise."""
    found: dict[str, Any] = {}
    if prepared.messages != body.messages:
        found["messages"] = prepared.messages
    if body.system is not None and prepared.system != body.system:
        found["system"] = prepared.system
    if body.tools is not None and prepared.tools != body.tools:
        found["tools"] = prepared.tools
    return found


def asked_output(body: ChatBody) -> int | None:
    """The most tokens that a request wants of its answer."""
    names = ("max_tokens", "max_completion_tokens")
    given = [body.value(name) for name in names]
    return max((each for each in given if type(each) is int and each > 0), default=None)


def _tells_prompt(body: ChatBody) -> bool:
    if "context_management" in body.fields:
        return False
    tools: object = body.tools
    listed = cast("list[object]", tools) if isinstance(tools, list) else []
    kinds = (
        cast("dict[str, object]", tool).get("type") if isinstance(tool, dict) else None
        for tool in listed
    )
    return all(kind in _OWN_TOOLS for kind in kinds)


def _billed(usage: Usage) -> dict[str, Any]:
    """As the window reads it, whatever the form."""
    return {
        "input_tokens": usage.input_tokens,
        "cache_read_input_tokens": usage.cache_read_tokens,
        "cache_creation_input_tokens": usage.cache_write_5m_tokens + usage.cache_write_1h_tokens,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write_5m_tokens,
            "ephemeral_1h_input_tokens": usage.cache_write_1h_tokens,
        },
        "output_tokens": usage.output_tokens,
    }
