"""Pages of the reports, as they come over the wire.

Sources: the published API reference of `usage_report/messages`, `usage_report/claude_code` and
`cost_report`, and the types of the package anthropic 2.12 (`beta.organization.analytics`) for the
newer pair.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Annotated, Final, Protocol

from msgspec import Meta, Struct
from msgspec.structs import astuple

from token_tracking.admin.errors import AdminAnswerError
from token_tracking.admin.values import ClaudeCodeRow, CostRow, UsageRow
from token_tracking.usage import Usage

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY: Final = timedelta(days=1)
_PICO_PER_CENT: Final = 10**10
_MOST_CENTS: Final = 10**12
_CURRENCY: Final = re.compile(r"[A-Za-z]{3}")
_LAST_DAY: Final = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _DAY

_Count = Annotated[int, Meta(ge=0, le=10**18)]
_Moment = Annotated[datetime, Meta(tz=True)]


class Page(Protocol):
    """One page of a report."""

    @property
    def has_more(self) -> bool:
        """Whether another one follows."""
        ...

    @property
    def next_page(self) -> str | None:
        """What to ask for it with."""
        ...


class _CacheCreation(Struct):
    ephemeral_1h_input_tokens: _Count = 0
    ephemeral_5m_input_tokens: _Count = 0


class _ServerTools(Struct):
    web_search_requests: _Count = 0


class _Counts(Struct):
    uncached_input_tokens: _Count
    output_tokens: _Count
    cache_read_input_tokens: _Count = 0
    cache_creation: _CacheCreation | None = None
    server_tool_use: _ServerTools | None = None

    def usage(self) -> Usage:
        """As the ledger counts."""
        written = self.cache_creation or _CacheCreation()
        searches = self.server_tool_use or _ServerTools()
        return Usage(
            input_tokens=self.uncached_input_tokens,
            output_tokens=self.output_tokens,
            cache_read_tokens=self.cache_read_input_tokens,
            cache_write_5m_tokens=written.ephemeral_5m_input_tokens,
            cache_write_1h_tokens=written.ephemeral_1h_input_tokens,
            web_search_requests=searches.web_search_requests,
        )


class _UsageResult(_Counts):
    model: str | None = None
    api_key_id: str | None = None


class _UsageBucket(Struct):
    starting_at: _Moment
    results: list[_UsageResult]


class UsagePage(Struct):
    """`GET /v1/organizations/usage_report/messages`: buckets of a day."""

    data: list[_UsageBucket]
    has_more: bool
    next_page: str | None = None

    def rows(self) -> Iterator[UsageRow]:
        """What was used."""
        for bucket in self.data:
            for each in bucket.results:
                yield UsageRow(
                    day=day_of(bucket.starting_at),
                    model=each.model,
                    api_key=each.api_key_id,
                    usage=each.usage(),
                )


class _CostResult(Struct):
    amount: str
    currency: str
    model: str | None = None


class _CostBucket(Struct):
    starting_at: _Moment
    results: list[_CostResult]


class CostPage(Struct):
    """`GET /v1/organizations/cost_report`: buckets of a day; amounts in cents, as decimals."""

    data: list[_CostBucket]
    has_more: bool
    next_page: str | None = None

    def rows(self) -> Iterator[CostRow]:
        """What was paid. Whether discounts are in it, this report does not say."""
        for bucket in self.data:
            for each in bucket.results:
                yield CostRow(
                    day=day_of(bucket.starting_at),
                    model=each.model,
                    pico=_pico(each.amount, each.currency),
                    list_pico=None,
                )


class _Group(Struct):
    model: str | None = None
    api_key_id: str | None = None


class _UsageItem(Struct):
    starting_at: _Moment
    usage: _Counts
    group: _Group


class AnalyticsUsagePage(Struct):
    """`GET /v1/organizations/analytics/usage`: a row for each day and group."""

    data: list[_UsageItem]
    has_more: bool
    next_page: str | None = None

    def rows(self) -> Iterator[UsageRow]:
        """What was used."""
        for each in self.data:
            yield UsageRow(
                day=day_of(each.starting_at),
                model=each.group.model,
                api_key=each.group.api_key_id,
                usage=each.usage.usage(),
            )


class _Cost(Struct):
    amount: str
    currency: str
    list_amount: str | None = None


class _CostItem(Struct):
    starting_at: _Moment
    cost: _Cost
    group: _Group


class AnalyticsCostPage(Struct):
    """`GET /v1/organizations/analytics/cost`: a row for each day and group, in cents."""

    data: list[_CostItem]
    has_more: bool
    next_page: str | None = None

    def rows(self) -> Iterator[CostRow]:
        """What was paid, after discounts and before them."""
        for each in self.data:
            before, currency = each.cost.list_amount, each.cost.currency
            yield CostRow(
                day=day_of(each.starting_at),
                model=each.group.model,
                pico=_pico(each.cost.amount, currency),
                list_pico=None if before is None else _pico(before, currency),
            )


class _Actor(Struct):
    email_address: str | None = None
    api_key_name: str | None = None


class _Tokens(Struct):
    input: _Count = 0
    output: _Count = 0
    cache_read: _Count = 0
    cache_creation: _Count = 0


class _Estimate(Struct):
    amount: Decimal
    currency: str = "USD"


class _ModelUse(Struct):
    model: str
    tokens: _Tokens
    estimated_cost: _Estimate


class _Person(Struct):
    date: _Moment
    actor: _Actor
    model_breakdown: list[_ModelUse] = []


class ClaudeCodePage(Struct):
    """`GET /v1/organizations/usage_report/claude_code`: a row for each user of one day."""

    data: list[_Person]
    has_more: bool
    next_page: str | None = None

    def rows(self) -> Iterator[ClaudeCodeRow]:
        """Who used which model."""
        for person in self.data:
            for each in person.model_breakdown:
                cost = each.estimated_cost
                yield ClaudeCodeRow(
                    day=day_of(person.date),
                    model=each.model,
                    actor=person.actor.email_address or person.actor.api_key_name or "",
                    tokens=sum(astuple(each.tokens)),
                    pico=_pico(str(cost.amount), cost.currency),
                )


def day_of(moment: datetime) -> int:
    """The UTC day of a moment, from 1970-01-01.

    Raises:
        AdminAnswerError: it is before 1970, or after the year 9999.
    """
    day = (moment - _EPOCH) // _DAY
    if not 0 <= day <= _LAST_DAY:
        raise AdminAnswerError("The report has a day that is none: report this, please.")
    return day


def _pico(cents: str, currency: str) -> int:
    """Cents as a decimal text, in pico-USD, to the nearest one.

    Raises:
        AdminAnswerError: it is no amount of USD.
    """
    if currency != "USD":
        named = repr(currency) if _CURRENCY.fullmatch(currency) else "no currency"
        raise AdminAnswerError(f"The cost report is in {named}, and the ledger knows USD alone.")
    try:
        amount = Decimal(cents)
    except InvalidOperation:
        amount = Decimal("NaN")
    # Comparing is exact; abs() and negation round, and overflow on the largest exponents.
    if not (amount.is_finite() and -_MOST_CENTS <= amount <= _MOST_CENTS):
        raise AdminAnswerError("The cost report has an amount that is none: report this, please.")
    return round(amount * _PICO_PER_CENT)
