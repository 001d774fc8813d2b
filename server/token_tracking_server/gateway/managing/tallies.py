"""What windows took out of conversations, for the metrics: each token once."""

from collections import OrderedDict
from typing import Final
from weakref import WeakKeyDictionary

from token_tracking.window import ContextWindow, Prepared
from token_tracking_server.gateway.metrics import Gauges

MOST: Final = 10_000
"""Conversations that are remembered, a few hundred bytes each: longer than their windows, so that
what a new window takes out again is not counted again."""


class Tally:
    """What left one conversation, whichever of its windows took it out."""

    def __init__(self, gauges: Gauges) -> None:
        self._gauges = gauges
        self._messages = 0
        self._counted = 0
        self._removed: WeakKeyDictionary[ContextWindow, int] = WeakKeyDictionary()

    def count(self, window: ContextWindow, prepared: Prepared, messages: int) -> None:
        """A window prepared the conversation, which has so many messages."""
        if messages < self._messages:  # it was cut, and goes on elsewhere
            self._removed.clear()
            self._counted = 0
        self._messages = messages
        removed = removed_by(prepared)
        out = self._removed[window] = self._removed.get(window, 0) + removed
        if removed > 0:
            self._gauges.compacted(out - self._counted)
            self._counted = max(self._counted, out)
        if prepared.tokens.total + out > window.room.context:
            self._gauges.would_have_overflowed()


class Tallies:
    """The tallies of the last conversations."""

    def __init__(self, gauges: Gauges, most: int = MOST) -> None:
        self._gauges = gauges
        self._most = most
        self._kept: OrderedDict[str, Tally] = OrderedDict()

    def of(self, conversation: str) -> Tally:
        """The tally of a conversation."""
        tally = self._kept[conversation] = self._kept.pop(conversation, None) or Tally(self._gauges)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return tally


def removed_by(prepared: Prepared) -> int:
    """The tokens that were taken out of a request, and out of no earlier one."""
    return sum(action.tokens for action in prepared.actions if action.is_done)
