"""The rates of one message and what it cost by them, in whole pico-USD (10^-12 USD)."""

from decimal import Decimal
from typing import Final

from msgspec import Struct
from msgspec.structs import astuple

from token_tracking.errors import UnknownModelError
from token_tracking.pricing.money import usd
from token_tracking.usage import Usage


class Rates(Struct, frozen=True):
    """Pico-USD per token of each kind, and per web search (None: no price is published).

    `source` names where they come from: `genai-prices 0.2.3`, `overlay`, `user`, or a list of
    two with ` + ` where the overlay multiplies (the place where the model ran).
    """

    input: int
    output: int
    cache_read: int
    cache_write_5m: int
    cache_write_1h: int
    web_search: int | None
    source: str


FREE: Final = Rates(0, 0, 0, 0, 0, 0, "no model")
"""The rates of `<synthetic>`, a message that no model wrote."""


class Cost(Struct, frozen=True):
    """What one message cost, in pico-USD; `pico_usd` is the sum of the six parts after it.

    `no_cache_pico` is the same message with its whole prompt at the input rate of the same band;
    `cache_write_premium_pico` is what the cache writes cost above the input rate.
    """

    pico_usd: int
    input_pico: int
    output_pico: int
    cache_read_pico: int
    cache_write_5m_pico: int
    cache_write_1h_pico: int
    web_search_pico: int
    no_cache_pico: int
    cache_write_premium_pico: int

    @property
    def usd(self) -> Decimal:
        """The total in USD, exact."""
        return usd(self.pico_usd)

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))


def cost_of(usage: Usage, rates: Rates) -> Cost:
    """What `usage` costs at `rates`. Web fetches are free, as published.

    Raises:
        UnknownModelError: it has web searches and no price of them is published.
    """
    input_rate = rates.input
    written_5m = usage.cache_write_5m_tokens
    written_1h = usage.cache_write_1h_tokens
    read = usage.cache_read_tokens
    input_pico = usage.input_tokens * input_rate
    output_pico = usage.output_tokens * rates.output
    read_pico = read * rates.cache_read
    write_5m_pico = written_5m * rates.cache_write_5m
    write_1h_pico = written_1h * rates.cache_write_1h
    searches = usage.web_search_requests
    search_pico = _searches(searches, rates) if searches else 0
    uncached = input_pico + output_pico + search_pico
    written_pico = write_5m_pico + write_1h_pico
    plain_writes = (written_5m + written_1h) * input_rate
    return Cost(
        uncached + read_pico + written_pico,
        input_pico,
        output_pico,
        read_pico,
        write_5m_pico,
        write_1h_pico,
        search_pico,
        uncached + read * input_rate + plain_writes,
        written_pico - plain_writes,
    )


def _searches(count: int, rates: Rates) -> int:
    if rates.web_search is None:
        raise UnknownModelError(
            f"The message has {count} web searches, and {rates.source} publishes no price of them"
            " for its model: price the model in your prices file, with a web_search key (USD per"
            " 1,000 searches)."
        )
    return count * rates.web_search
