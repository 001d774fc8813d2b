"""Amounts as whole numbers: tokens, and pico-USD."""

from decimal import ROUND_CEILING, Decimal
from typing import Final, Literal, NamedTuple

from token_tracking.limits.quotas.errors import InvalidQuotaError
from token_tracking.pricing import usd

Measure = Literal["tokens", "usd"]

MAX_TOKENS: Final = 10**15
MAX_USD: Final = 100_000
"""Of one request: the dearest that `usage.MAX_COUNT` allows costs less."""


class Cost(NamedTuple):
    """What a request uses; `None` is not known."""

    tokens: int | None
    pico: int | None


def cost(tokens: int | None, dollars: Decimal | None) -> Cost:
    """Checked amounts. A part of a pico-USD counts as one.

    Raises:
        InvalidQuotaError: an amount is negative, absurd, or no number.
    """
    if tokens is not None and not (type(tokens) is int and 0 <= tokens <= MAX_TOKENS):
        raise InvalidQuotaError(f"tokens is {tokens!r}: give a whole number from 0, or None.")
    return Cost(tokens, None if dollars is None else pico_of(dollars, MAX_USD))


def pico_of(dollars: Decimal, most: int) -> int:
    """USD as whole pico-USD.

    Raises:
        InvalidQuotaError: it is no `Decimal` from 0 to `most`.
    """
    if not (is_decimal(dollars) and 0 <= dollars <= most):
        raise InvalidQuotaError(f"usd is {dollars!r}: give a Decimal from 0 to {most:,}, or None.")
    return int(dollars.scaleb(12).to_integral_value(ROUND_CEILING))


def is_decimal(value: object) -> bool:
    """Whether it is a finite `Decimal`: a float is not the amount that was written."""
    return isinstance(value, Decimal) and value.is_finite()


def said(measure: Measure, value: int) -> int | Decimal:
    """Tokens as they are, pico-USD as USD."""
    return usd(value) if measure == "usd" else value
