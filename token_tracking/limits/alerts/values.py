"""A level of a quota that was reached."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Final, Literal

from msgspec import Struct

_SMALL: Final = Decimal("0.1")


class Alert(Struct, frozen=True, kw_only=True):
    """`kind` is `share` where a share of the limit was used (billed), or `refused` where a hard
    quota turned a request away for the first time in this window.

    `used` and `limit` are tokens (`int`) or USD (`Decimal`), as `measure` says; times are
    milliseconds since 1970 UTC.
    """

    id: int
    kind: Literal["share", "refused"]
    subject: str
    name: str
    period: str
    measure: Literal["tokens", "usd"]
    share: float
    used: int | Decimal
    limit: int | Decimal
    is_hard: bool
    starts_at: int
    resets_at: int
    raised_at: int

    def __str__(self) -> str:
        whose = f"{self.subject} {self.name or '(none named)'}"
        used, limit = amount(self.used), amount(self.limit)
        resets = datetime.fromtimestamp(self.resets_at / 1000, UTC)
        until = f"resets at {resets:%Y-%m-%d %H:%M} UTC"
        if self.kind == "refused":
            return (
                f"{whose}: requests are refused by the hard quota of {limit} per {self.period};"
                f" {used} used, {until}"
            )
        return (
            f"{whose}: {self.share:.0%} of the quota of {limit} per {self.period} passed;"
            f" {used} used, {until}"
        )


def amount(value: int | Decimal) -> str:
    """`12,000 tokens`, `$1.50`; of less than a tenth of a dollar two digits that count."""
    if not isinstance(value, Decimal):
        return f"{value:,} tokens"
    if 0 < value < _SMALL:
        return f"${Decimal(f'{value:.2g}'):f}"
    return f"${value:,.2f}"
