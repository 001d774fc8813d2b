"""What caching did: the share of the prompt that was read from it, and the money."""

from decimal import Decimal
from typing import Protocol

from msgspec import Struct

from token_tracking.pricing import usd


class CacheSums(Protocol):
    """Sums over messages: tokens, and integer pico-USD for those that have a price."""

    @property
    def messages(self) -> int: ...
    @property
    def unpriced_messages(self) -> int: ...
    @property
    def cache_read_tokens(self) -> int: ...
    @property
    def prompt_tokens(self) -> int: ...
    @property
    def cost_pico(self) -> int: ...
    @property
    def no_cache_pico(self) -> int: ...
    @property
    def write_premium_pico(self) -> int: ...


class CacheFigures(Struct, frozen=True, kw_only=True):
    """What caching did over some messages; `None` is unknown.

    `hit_rate` is the share of prompt tokens that were read from the cache, 0 to 1.
    `net_savings_usd` is what the same tokens would have cost uncached, less what they cost: the
    premium for writes, `write_premium_usd`, is taken off already. It may be negative.
    """

    hit_rate: float | None
    net_savings_usd: Decimal | None
    write_premium_usd: Decimal | None


def cache_figures(sums: CacheSums) -> CacheFigures:
    """The figures, measured from billed usage; money is that of the priced messages."""
    priced = sums.messages > sums.unpriced_messages
    return CacheFigures(
        hit_rate=sums.cache_read_tokens / sums.prompt_tokens if sums.prompt_tokens else None,
        net_savings_usd=usd(sums.no_cache_pico - sums.cost_pico) if priced else None,
        write_premium_usd=usd(sums.write_premium_pico) if priced else None,
    )
