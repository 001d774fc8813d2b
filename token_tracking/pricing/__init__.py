"""What each message cost, exactly: dated price lists, and rates in whole pico-USD.

Importing it is light: price lists are read at the first lookup, and the package genai-prices is
imported only for models that they do not hold.
"""

from token_tracking.pricing.book import PriceBook
from token_tracking.pricing.money import PICO_PER_USD, usd
from token_tracking.pricing.names import normalize_model
from token_tracking.pricing.published import ModelLimits, limits
from token_tracking.pricing.rates import Cost, Rates, cost_of

__all__ = [
    "PICO_PER_USD",
    "Cost",
    "ModelLimits",
    "PriceBook",
    "Rates",
    "cost_of",
    "limits",
    "normalize_model",
    "usd",
]
