"""Limits on what is sent: requests and tokens a minute, tokens and dollars a period, and alerts."""

from importlib import import_module
from typing import TYPE_CHECKING

from token_tracking.limits.errors import (
    LimitError,
    NeverFitsError,
    RateStorageError,
    WaitTooLongError,
)

if TYPE_CHECKING:
    from token_tracking.limits.alerts import (
        Alert,
        Alerts,
        AlertSink,
        CommandSink,
        LogSink,
        WebhookSink,
        recent_alerts,
    )
    from token_tracking.limits.quotas import (
        InvalidQuotaError,
        Quota,
        QuotaExceededError,
        QuotaRefusedError,
        Quotas,
        QuotaStatus,
        Spender,
        Spending,
        UnpricedModelError,
        read_status,
    )
    from token_tracking.limits.rate import (
        Amount,
        Learned,
        MemoryRateStorage,
        RateKey,
        RateLimit,
        RateLimiter,
        RedisRateStorage,
        Reservation,
        countable,
    )

__all__ = [
    "Alert",
    "AlertSink",
    "Alerts",
    "Amount",
    "CommandSink",
    "InvalidQuotaError",
    "Learned",
    "LimitError",
    "LogSink",
    "MemoryRateStorage",
    "NeverFitsError",
    "Quota",
    "QuotaExceededError",
    "QuotaRefusedError",
    "QuotaStatus",
    "Quotas",
    "RateKey",
    "RateLimit",
    "RateLimiter",
    "RateStorageError",
    "RedisRateStorage",
    "Reservation",
    "Spender",
    "Spending",
    "UnpricedModelError",
    "WaitTooLongError",
    "WebhookSink",
    "countable",
    "read_status",
    "recent_alerts",
]

_MODULES = {
    "Alert": "alerts",
    "AlertSink": "alerts",
    "Alerts": "alerts",
    "Amount": "rate",
    "CommandSink": "alerts",
    "InvalidQuotaError": "quotas",
    "Learned": "rate",
    "LogSink": "alerts",
    "MemoryRateStorage": "rate",
    "Quota": "quotas",
    "QuotaExceededError": "quotas",
    "QuotaRefusedError": "quotas",
    "QuotaStatus": "quotas",
    "Quotas": "quotas",
    "RateKey": "rate",
    "RateLimit": "rate",
    "RateLimiter": "rate",
    "RedisRateStorage": "rate",
    "Reservation": "rate",
    "Spender": "quotas",
    "Spending": "quotas",
    "UnpricedModelError": "quotas",
    "WebhookSink": "alerts",
    "countable": "rate",
    "read_status": "quotas",
    "recent_alerts": "alerts",
}


def __getattr__(name: str) -> object:
    # Whoever needs one part does not wait for the others (PEP 562).
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
