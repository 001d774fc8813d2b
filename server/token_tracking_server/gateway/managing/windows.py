"""The windows of the conversations that are under way, the last used ones."""

import json
import time
from collections import OrderedDict
from collections.abc import Callable
from hashlib import blake2b
from typing import Any, Final, NamedTuple, cast

from msgspec.structs import replace

from token_tracking.pricing import PriceBook
from token_tracking.sources.replies.values import Form
from token_tracking.window import Budget
from token_tracking_server.gateway.managing.requests import ChatBody
from token_tracking_server.gateway.managing.tallies import Tallies
from token_tracking_server.gateway.managing.window import ManagedWindow, asked_output, open_window
from token_tracking_server.gateway.metrics import Gauges

MOST: Final = 64
"""Each keeps its conversation's messages, some megabytes at most. Whose window is gone gets a new
one: its edits are decided anew, which costs one prompt that is not cached."""


IDLE_SECONDS: Final = 3600.0
"""After so long the longest-lived prompt cache has lapsed, and a window has nothing to keep."""

_Key = tuple[str, Form, str, str, Budget]


class _Kept(NamedTuple):
    window: ManagedWindow
    used_at: float


class Windows:
    """Windows by conversation, model, strategy and budget. `clock` gives seconds."""

    def __init__(
        self,
        gauges: Gauges,
        most: int = MOST,
        *,
        prices: PriceBook | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._gauges = gauges
        self._prices = prices or PriceBook()
        self._most = most
        self._clock = clock
        self._kept: OrderedDict[_Key, _Kept] = OrderedDict()
        self._tallies = Tallies(gauges)

    def of(
        self,
        conversation: str,
        body: ChatBody,
        model: str,
        strategy: str,
        budget: Budget | None = None,
    ) -> ManagedWindow | None:
        """The window of a conversation, which has room for the answer that is asked for; `None`
        where the model has none.

        Raises:
            BadRequestError: no strategy is called so.
        """
        given = budget or Budget()
        key = (conversation, body.form, model, strategy, given)
        self._forget_idle()
        kept = self._kept.pop(key, None)
        window = kept.window if kept else self._open(conversation, body, model, strategy, given)
        asked = asked_output(body) if given.max_output_tokens is None else None
        if window is not None and asked is not None and asked > window.output:
            # Room for the answer is only ever added: a new window forgets what it has edited.
            wider = replace(given, max_output_tokens=asked)
            window = self._open(conversation, body, model, strategy, wider) or window
        if window is not None:
            self._kept[key] = _Kept(window, self._clock())
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return window

    def forget(self, conversation: str) -> None:
        """Let go of all windows of a conversation."""
        for key in [key for key in self._kept if key[0] == conversation]:
            del self._kept[key]

    def _forget_idle(self) -> None:
        """The last used one stands last."""
        limit = self._clock() - IDLE_SECONDS
        while self._kept and next(iter(self._kept.values())).used_at < limit:
            self._kept.popitem(last=False)

    def _open(
        self, conversation: str, body: ChatBody, model: str, strategy: str, budget: Budget
    ) -> ManagedWindow | None:
        return open_window(
            model,
            strategy,
            self._gauges,
            budget=budget,
            body=body,
            prices=self._prices,
            tally=self._tallies.of(conversation),
        )


def conversation_of(body: ChatBody, session_id: str | None) -> str:
    """What tells a conversation from others: its session and the user's first message, since
    subagents share their parent's session; without a session also its system prompt."""
    first = next((n for n, each in enumerate(body.messages) if _role(each) == "user"), 0)
    opening = body.messages[first : first + 1]
    told = [session_id, opening] if session_id else [body.system, body.messages[:first], opening]
    return blake2b(json.dumps(_unmarked(told)).encode(), digest_size=16).hexdigest()


def _role(message: object) -> object:
    return cast("dict[str, object]", message).get("role") if isinstance(message, dict) else None


def _unmarked(value: Any) -> Any:
    """A value without breakpoints, which move from request to request."""
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        return {name: _unmarked(fields[name]) for name in fields if name != "cache_control"}
    if isinstance(value, list):
        return [_unmarked(each) for each in cast("list[Any]", value)]
    return value
