"""The context windows of conversations that were spoken in lately."""

from collections import OrderedDict
from typing import Final, NamedTuple

from token_tracking.pricing import PriceBook
from token_tracking.window import ContextWindow
from token_tracking_server.gateway.agents.values import Agent
from token_tracking_server.gateway.config.values import Upstream
from token_tracking_server.gateway.managing.strategies import policies_of
from token_tracking_server.gateway.managing.summarising import UpstreamSummariser
from token_tracking_server.gateway.managing.tallies import Tallies, Tally
from token_tracking_server.gateway.metrics import Gauges

MOST: Final = 500
"""Windows that are remembered. One that is not begins anew from the history: what it had decided
is decided again, and a cached prefix may be written again."""


class Kept(NamedTuple):
    """A window, for whom it was made, who writes its summaries, and what counts what leaves it."""

    agent: Agent
    upstream: Upstream
    window: ContextWindow
    summariser: UpstreamSummariser
    tally: Tally


class Windows:
    """A window for each conversation and the agent that answers in it, the last used kept."""

    def __init__(
        self, prices: PriceBook, default_strategy: str, gauges: Gauges, most: int = MOST
    ) -> None:
        self._prices = prices
        self._tallies = Tallies(gauges)
        self._default_strategy = default_strategy
        self._most = most
        self._kept: OrderedDict[tuple[str, str], Kept] = OrderedDict()

    def of(self, conversation_id: str, agent: Agent, upstream: Upstream) -> Kept:
        """The window of a conversation with an agent; a new one where the agent changed.

        Raises:
            InvalidBudgetError: the agent's budget contradicts itself or its model.
            BadRequestError: there is no such strategy.
        """
        key = (conversation_id, agent.name)
        kept = self._kept.pop(key, None)
        if kept is None or kept.agent != agent or kept.upstream != upstream:
            kept = self._make(conversation_id, agent, upstream)
        self._kept[key] = kept
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return kept

    def forget(self, conversation_id: str) -> None:
        """Forget what is known of a conversation, its text among it."""
        for key in [each for each in self._kept if each[0] == conversation_id]:
            del self._kept[key]

    def _make(self, conversation_id: str, agent: Agent, upstream: Upstream) -> Kept:
        summariser = UpstreamSummariser()
        window = ContextWindow(
            agent.model,
            agent.budget,
            policies_of(agent.strategy or self._default_strategy, agent.budget, summariser),
            form=upstream.form,
            prices=self._prices,
        )
        tally = self._tallies.of(conversation_id)
        return Kept(agent, upstream, window, summariser, tally)
