"""How near the simulation is to the truth: what nobody edited was really billed for."""

from dataclasses import dataclass

from benchmarks.window_replay.billing import rates_of
from benchmarks.window_replay.outcome import Reached
from benchmarks.window_sessions import Conversation, Request
from token_tracking.pricing import PriceBook
from token_tracking.usage import Usage


@dataclass
class Anchor:
    """Pico-USD of prompts: as billed, and as simulated with the lifetime that each conversation
    wrote most of its cache for. Requests that cached nothing stand on neither side."""

    billed: int = 0
    simulated: int = 0

    @property
    def ratio(self) -> float | None:
        """Simulated by billed; `None` where nothing was billed."""
        return self.simulated / self.billed if self.billed else None

    def add(self, conversation: Conversation, reached: Reached, prices: PriceBook) -> None:
        """A conversation that was replayed unedited, with its sums."""
        requests = conversation.requests
        hour = sum(each.usage.cache_write_1h_tokens for each in requests)
        five = sum(each.usage.cache_write_5m_tokens for each in requests)
        if not hour and not five:
            return
        self.billed += sum(_billed(each, prices) for each in requests)
        self.simulated += reached.pico["1h" if hour > five else "5m"]


def _billed(request: Request, prices: PriceBook) -> int:
    usage: Usage = request.usage
    rates = rates_of(prices, request.model, request.at_ms, request.prompt_tokens)
    return (
        usage.input_tokens * rates.input
        + usage.cache_read_tokens * rates.cache_read
        + usage.cache_write_5m_tokens * rates.cache_write_5m
        + usage.cache_write_1h_tokens * rates.cache_write_1h
    )
