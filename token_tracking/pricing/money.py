"""Exact money: whole pico-dollars (10^-12 USD), made from decimals that are never rounded."""

from decimal import MAX_PREC, Context, Decimal, Inexact
from typing import Final

PICO_PER_USD: Final = 10**12
_EXACT: Final = Context(prec=MAX_PREC, traps=[Inexact])
MAX_USD: Final = 1000
"""No model costs more for a million tokens (or a thousand searches). With it, the cost of one
message of `usage.MAX_COUNT` tokens of each kind stays in 64 bits."""


def pico_per_token(usd_per_million: Decimal) -> int:
    """USD per million tokens, as pico-USD per token.

    Raises:
        ValueError: it is negative, not finite, above `MAX_USD` or no whole number of pico-USD.
    """
    return _whole_pico(usd_per_million, 10**6)


def pico_per_search(usd_per_thousand: Decimal) -> int:
    """USD per thousand searches, as pico-USD per search. Raises as `pico_per_token` does."""
    return _whole_pico(usd_per_thousand, 10**3)


def scaled(rate: int, multiplier: Decimal) -> int:
    """`rate` times `multiplier`, both exact.

    Raises:
        ValueError: the product is no whole number of pico-USD.
    """
    numerator, denominator = multiplier.as_integer_ratio()
    quotient, remainder = divmod(rate * numerator, denominator)
    if remainder:
        raise ValueError(f"{rate} pico-USD times {multiplier} is no whole number of pico-USD")
    return quotient


def usd(pico: int) -> Decimal:
    """Pico-USD as USD, exact to the last digit."""
    return Decimal(pico).scaleb(-12, _EXACT)


def _whole_pico(price: Decimal, per: int) -> int:
    if not price.is_finite():
        raise ValueError("is no finite number")
    if price < 0:
        raise ValueError("is negative")
    if price > MAX_USD:
        raise ValueError(f"is above {MAX_USD} USD")
    numerator, denominator = price.as_integer_ratio()
    pico, remainder = divmod(numerator * (PICO_PER_USD // per), denominator)
    if remainder:
        raise ValueError("is finer than one pico-USD a unit: it has too many decimals")
    return pico
