"""Requests and tokens a minute: reserved before a request, settled after, learnt from the provider.

No library that was measured (`benchmarks/limiter.py`) can give back or correct what was taken, or
take several limits together with costs of their own; these are counters of short sub-windows.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from token_tracking.limits.rate.counted import countable
    from token_tracking.limits.rate.limiter import RateLimiter, Reservation
    from token_tracking.limits.rate.memory import MemoryRateStorage
    from token_tracking.limits.rate.redis_storage import RedisRateStorage
    from token_tracking.limits.rate.storage import RateStorage
    from token_tracking.limits.rate.values import Amount, Learned, RateKey, RateLimit

__all__ = [
    "Amount",
    "Learned",
    "MemoryRateStorage",
    "RateKey",
    "RateLimit",
    "RateLimiter",
    "RateStorage",
    "RedisRateStorage",
    "Reservation",
    "countable",
]

_MODULES = {
    "Amount": "values",
    "Learned": "values",
    "MemoryRateStorage": "memory",
    "RateKey": "values",
    "RateLimit": "values",
    "RateLimiter": "limiter",
    "RateStorage": "storage",
    "RedisRateStorage": "redis_storage",
    "Reservation": "limiter",
    "countable": "counted",
}


def __getattr__(name: str) -> object:
    # Only who counts in Redis waits for its package (PEP 562).
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
