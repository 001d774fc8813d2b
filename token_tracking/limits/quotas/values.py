"""What may be used, by whom, in which time; and how much of it is used."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, Literal

from msgspec import Struct

from token_tracking.limits.quotas.amounts import MAX_TOKENS, Measure, is_decimal, pico_of
from token_tracking.limits.quotas.errors import InvalidQuotaError

Subject = Literal["user", "agent", "project", "key"]
Period = Literal["day", "week", "month"]

SUBJECTS: Final[tuple[Subject, ...]] = ("user", "agent", "project", "key")
PERIODS: Final[tuple[Period, ...]] = ("day", "week", "month")

EACH: Final = "*"
"""The name of a quota that each one has for itself."""

ALERT_AT: Final = (0.8, 1.0)
"""Shares of a quota that are told of, where it does not say."""

MEASURES: Final[tuple[Measure, ...]] = ("tokens", "usd")

MAX_QUOTA_USD: Final = 1_000_000
"""A sum of pico-dollars has 64 bits, which are 9.2 million USD."""

LONGEST_NAME: Final = 200
"""Characters of a name that are kept; a longer one counts for the name that begins like it."""


class Spender(Struct, frozen=True, kw_only=True):
    """Whose a request is. `key` is a fingerprint, never the key. Requests that name no user, agent
    or project share one account, which has the name ""."""

    user: str | None = None
    agent: str | None = None
    project: str | None = None
    key: str | None = None

    def name_of(self, subject: Subject) -> str:
        """The name under which a request counts."""
        return (getattr(self, subject) or "")[:LONGEST_NAME]


class Quota(Struct, frozen=True, kw_only=True):
    """How many tokens (prompt, cached or not, and output together) and dollars (at API prices) one
    user, agent, project or key may use in a calendar day, week (from Monday) or month.

    The name `*` is for each one, but those with a quota of their own for the same period. A hard
    quota refuses what would pass it; a soft one only alerts. `alert_at` are shares of it. A hard
    quota of dollars refuses a model without a known price, unless `allows_unpriced`: then such
    requests are counted, and its dollars are a lower bound.

    Raises:
        InvalidQuotaError: a field is not what it has to be, or nothing is limited.
    """

    subject: Subject
    period: Period
    name: str = EACH
    tokens: int | None = None
    usd: Decimal | None = None
    is_hard: bool = True
    alert_at: tuple[float, ...] = ALERT_AT
    allows_unpriced: bool = False

    def __post_init__(self) -> None:
        if self.subject not in SUBJECTS:
            raise InvalidQuotaError(f"subject is {self.subject!r}: give {', '.join(SUBJECTS)}.")
        if self.period not in PERIODS:
            raise InvalidQuotaError(f"period is {self.period!r}: give {', '.join(PERIODS)}.")
        if type(self.name) is not str or len(self.name) > LONGEST_NAME:
            raise InvalidQuotaError(
                f"The name of a quota is a text of at most {LONGEST_NAME} characters."
            )
        self._check_limits()
        _check_shares(self.alert_at)

    def limit_of(self, measure: Measure) -> int | None:
        """What it limits, in tokens or pico-USD; `None` where it does not."""
        if measure == "tokens":
            return self.tokens
        return None if self.usd is None else pico_of(self.usd, MAX_QUOTA_USD)

    def _check_limits(self) -> None:
        if self.tokens is None and self.usd is None:
            raise InvalidQuotaError(
                f"The quota of {self} limits nothing: give tokens, usd or both."
            )
        if self.tokens is not None and not (
            type(self.tokens) is int and 0 < self.tokens <= MAX_TOKENS
        ):
            raise InvalidQuotaError(
                f"tokens is {self.tokens!r}: give a whole number from 1 to {MAX_TOKENS:,}."
            )
        if self.usd is not None and not (is_decimal(self.usd) and 0 < self.usd <= MAX_QUOTA_USD):
            raise InvalidQuotaError(
                f"usd is {self.usd!r}: give a Decimal above 0 and up to {MAX_QUOTA_USD:,}."
            )

    def __str__(self) -> str:
        whose = f"each {self.subject}" if self.name == EACH else f"{self.subject} {self.name!r}"
        return f"{whose} per {self.period}"


class QuotaStatus(Struct, frozen=True, kw_only=True):
    """How far one account has used one measure of a quota. Amounts are tokens (`int`) or USD
    (`Decimal`), times are milliseconds since 1970 UTC.

    `used` was billed; `reserved` is held for requests under way; `share` is of the limit that is
    used (above 1 where a soft quota was passed). `unpriced` requests are not in the dollars, which
    are a lower bound then. Of `estimated` requests the bill is not known: they count with what was
    reserved for them, or seen of their answers.

    `forecast_at` is when the limit will be reached (`forecast` documents how it is known), before
    `resets_at`; `None` where it will not, or nobody can say: `forecast_note` says which.
    """

    subject: Subject
    name: str
    period: Period
    measure: Measure
    is_hard: bool
    used: int | Decimal
    reserved: int | Decimal
    limit: int | Decimal
    share: float
    requests: int
    unpriced: int
    estimated: int
    starts_at: int
    resets_at: int
    forecast_at: int | None
    forecast_note: str
    forecast_basis: Literal["estimated", "unknown"]


def _check_shares(shares: Sequence[object]) -> None:
    for share in shares:
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share <= 10:
            raise InvalidQuotaError(
                f"alert_at has {share!r}: give shares of the quota, such as 0.8, up to 10."
            )
