"""Baselines: what a message would have cost otherwise, and how we know."""

from decimal import Decimal
from typing import Literal

from msgspec import Struct

from token_tracking.pricing import Cost, usd
from token_tracking.usage import Usage

Basis = Literal["measured", "estimated", "unknown"]
"""`measured` from billed usage, `estimated` with a known error, `unknown` (it is `None`)."""


class Baseline(Struct, frozen=True, kw_only=True):
    """What the same work would have used: tokens, and USD. `saved_*` may be negative."""

    name: str
    tokens: int
    cost_usd: Decimal
    saved_tokens: int
    saved_usd: Decimal
    basis: Basis


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
