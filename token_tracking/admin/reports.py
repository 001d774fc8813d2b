"""What the organisation used and paid, by day and model."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from token_tracking.admin.client import AdminClient, Query
from token_tracking.admin.errors import AdminError, AdminKeyRefusedError, NoAdminReportError
from token_tracking.admin.pages import (
    AnalyticsCostPage,
    AnalyticsUsagePage,
    ClaudeCodePage,
    CostPage,
    UsagePage,
)
from token_tracking.admin.values import ClaudeCodeRow, CostRow, OrganizationReport, UsageRow

_BETA: Final = {"anthropic-beta": "analytics-usage-cost-2026-08-24"}
_LONGEST_DAYS: Final = 31
_MODEL: Final = ("group_by[]", "model")
_KEY: Final = ("group_by[]", "api_key_id")


async def organization_report(
    client: AdminClient, first_day: int, end_day: int
) -> OrganizationReport:
    """The UTC days from `first_day` up to, not including, `end_day` (days since 1970-01-01).

    The Usage and Cost Analytics API is asked first, since it knows prices before discounts; where
    the key may not or the organisation has none, the older reports are.

    Raises:
        AdminError: neither can be had; its subclasses say why.
    """
    try:
        return await _analytics(client, first_day, end_day)
    except NoAdminReportError:
        pass
    except AdminKeyRefusedError as error:
        if error.status == 401:
            raise
    return await _reports(client, first_day, end_day)


async def claude_code_rows(client: AdminClient, days: Iterable[int]) -> list[ClaudeCodeRow]:
    """Who used Claude Code on some days (since 1970-01-01, UTC), the newest 31 of them at most:
    each takes a request of its own.

    Raises:
        AdminError: it cannot be had; its subclasses say why.
    """
    rows: list[ClaudeCodeRow] = []
    for day in sorted(days, reverse=True)[:_LONGEST_DAYS]:
        query = [("starting_at", _midnight(day)[:10]), ("limit", "1000")]
        path = "/v1/organizations/usage_report/claude_code"
        async for page in client.pages(path, query, ClaudeCodePage):
            rows += page.rows()
    return rows


async def _analytics(client: AdminClient, first_day: int, end_day: int) -> OrganizationReport:
    usage: list[UsageRow] = []
    cost: list[CostRow] = []
    for start, end in _spans(first_day, end_day):
        query = [*_between(start, end), ("time_bucket_width", "1d"), ("order_by", "time"),
                 ("limit", "1000"), _MODEL]  # fmt: skip
        path = "/v1/organizations/analytics/"
        async for page in client.pages(f"{path}usage", [*query, _KEY], AnalyticsUsagePage, _BETA):
            usage += page.rows()
        async for priced in client.pages(f"{path}cost", query, AnalyticsCostPage, _BETA):
            cost += priced.rows()
    return OrganizationReport(
        source="analytics", first_day=first_day, end_day=end_day, usage=usage, cost=cost
    )


async def _reports(client: AdminClient, first_day: int, end_day: int) -> OrganizationReport:
    usage: list[UsageRow] = []
    cost: list[CostRow] | None = []
    problem: str | None = None
    query = [*_between(first_day, end_day), ("bucket_width", "1d"), ("limit", str(_LONGEST_DAYS))]
    grouped: Query = [*query, _MODEL, _KEY]
    async for page in client.pages("/v1/organizations/usage_report/messages", grouped, UsagePage):
        usage += page.rows()
    try:
        # Only a grouping by description tells the model.
        described: Query = [*query, ("group_by[]", "description")]
        async for priced in client.pages("/v1/organizations/cost_report", described, CostPage):
            cost += priced.rows()
    except (NoAdminReportError, AdminKeyRefusedError) as error:
        cost, problem = None, str(error)
    return OrganizationReport(
        source="reports",
        first_day=first_day,
        end_day=end_day,
        usage=usage,
        cost=cost,
        problem=problem,
    )


def _spans(first_day: int, end_day: int) -> Iterator[tuple[int, int]]:
    """The newer endpoints take at most 31 days at once."""
    if first_day >= end_day:
        raise AdminError("The period holds no day: ask for another one with --period.")
    for start in range(first_day, end_day, _LONGEST_DAYS):
        yield start, min(end_day, start + _LONGEST_DAYS)


def _between(first_day: int, end_day: int) -> Query:
    return [("starting_at", _midnight(first_day)), ("ending_at", _midnight(end_day))]


def _midnight(day: int) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
