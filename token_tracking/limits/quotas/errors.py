"""What a quota refuses, and why; each text says what to do next."""

from decimal import Decimal
from typing import TYPE_CHECKING

from token_tracking.limits.errors import LimitError

if TYPE_CHECKING:
    from token_tracking.limits.quotas.amounts import Measure
    from token_tracking.limits.quotas.values import Quota


class InvalidQuotaError(LimitError, ValueError):
    """A quota contradicts itself, or an amount is none."""


class QuotaRefusedError(LimitError):
    """A hard quota does not let a request through."""


class QuotaExceededError(QuotaRefusedError):
    """A request would pass a hard quota.

    Amounts are tokens (`int`) or USD (`Decimal`), as `measure` says: `used` were billed, `reserved`
    are held for requests under way, `asked` are this request's. `resets_at` is milliseconds since
    1970 UTC.
    """

    def __init__(
        self,
        text: str,
        *,
        quota: "Quota",
        name: str,
        measure: "Measure",
        used: int | Decimal,
        reserved: int | Decimal,
        asked: int | Decimal,
        limit: int | Decimal,
        resets_at: int,
    ) -> None:
        super().__init__(text)
        self.quota = quota
        self.name = name
        self.measure: Measure = measure
        self.used = used
        self.reserved = reserved
        self.asked = asked
        self.limit = limit
        self.resets_at = resets_at


class UnpricedModelError(QuotaRefusedError):
    """A hard quota of dollars applies, and what the request costs is not known."""

    def __init__(self, text: str, *, quota: "Quota") -> None:
        super().__init__(text)
        self.quota = quota
