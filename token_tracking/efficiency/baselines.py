"""Baselines: what a message would have cost otherwise, and how we know."""

from collections.abc import Callable
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from token_tracking.pricing import Cost, usd
from token_tracking.usage import Usage

Basis = Literal["measured", "estimated", "unknown"]
"""`measured` from billed usage, `estimated` with a known error, `unknown` (it is `None`)."""


class Baseline(Struct, frozen=True, kw_only=True):
    """What the same work would have used: tokens (prompt and output), and USD.

    `saved_*` may be negative. Money is `None` where it cannot be known. `error_p95` is the relative
    error of counted tokens in 95 of 100 texts (0.08 is 8%); `None` where it was not measured, and
    for what was not counted: `no_cache` is measured, and `custom` as good as the user's function.
    """

    name: str
    tokens: int
    cost_usd: Decimal | None
    saved_tokens: int
    saved_usd: Decimal | None
    basis: Basis
    error_p95: float | None = None


def no_cache(usage: Usage, cost: Cost) -> Baseline:
    """The same tokens with the whole prompt at the price of uncached input.

    What is saved is net of the premium that cache writes cost. Token counts do not change.
    """
    return Baseline(
        name="no_cache",
        tokens=usage.total_tokens,
        cost_usd=usd(cost.no_cache_pico),
        saved_tokens=0,
        saved_usd=usd(cost.no_cache_pico - cost.pico_usd),
        basis="measured",
    )


def otherwise(
    name: str,
    usage: Usage,
    other: Usage,
    cost: Cost,
    price: Callable[[Usage], Cost] | None,
    error_p95: float | None = None,
) -> Baseline:
    """A message that would have used `other`, which `price` says the cost of."""
    pico = None if price is None else price(other).pico_usd
    return Baseline(
        name=name,
        tokens=other.total_tokens,
        cost_usd=None if pico is None else usd(pico),
        saved_tokens=other.total_tokens - usage.total_tokens,
        saved_usd=None if pico is None else usd(pico - cost.pico_usd),
        basis="estimated",
        error_p95=error_p95,
    )
