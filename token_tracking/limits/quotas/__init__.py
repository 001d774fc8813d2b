"""How many tokens and dollars a user, agent, project or key may use in a day, week or month."""

from token_tracking.limits.quotas.errors import (
    InvalidQuotaError,
    QuotaExceededError,
    QuotaRefusedError,
    UnpricedModelError,
)
from token_tracking.limits.quotas.quotas import Quotas
from token_tracking.limits.quotas.spending import Spending
from token_tracking.limits.quotas.status import read_status
from token_tracking.limits.quotas.values import Quota, QuotaStatus, Spender

__all__ = [
    "InvalidQuotaError",
    "Quota",
    "QuotaExceededError",
    "QuotaRefusedError",
    "QuotaStatus",
    "Quotas",
    "Spender",
    "Spending",
    "UnpricedModelError",
    "read_status",
]
