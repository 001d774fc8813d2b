"""Which quotas apply to whom."""

from collections.abc import Iterable
from typing import NamedTuple

from token_tracking.limits.quotas.errors import InvalidQuotaError
from token_tracking.limits.quotas.values import (
    EACH,
    PERIODS,
    SUBJECTS,
    Period,
    Quota,
    Spender,
    Subject,
)


class Applied(NamedTuple):
    """A quota, and the name that it applies to."""

    quota: Quota
    name: str


class Rules:
    """Quotas by whom they are for. One with a name holds in place of that for each.

    Raises:
        InvalidQuotaError: two are for the same name and period.
    """

    def __init__(self, quotas: Iterable[Quota]) -> None:
        self.quotas = tuple(quotas)
        self._by_name: dict[tuple[Subject, Period, str], Quota] = {}
        for quota in self.quotas:
            key = (quota.subject, quota.period, quota.name)
            if key in self._by_name:
                raise InvalidQuotaError(f"There are two quotas of {quota}: leave one out.")
            self._by_name[key] = quota

    def of(self, spender: Spender) -> list[Applied]:
        """What applies to a request, the shortest period first."""
        if not self._by_name:
            return []
        names: list[tuple[Subject, str]] = [(each, spender.name_of(each)) for each in SUBJECTS]
        return [
            Applied(quota, name)
            for period in PERIODS
            for subject, name in names
            if (quota := self.named(subject, period, name)) is not None
        ]

    def named(self, subject: Subject, period: Period, name: str) -> Quota | None:
        """The quota of one name."""
        own = self._by_name.get((subject, period, name))
        return own or self._by_name.get((subject, period, EACH))
