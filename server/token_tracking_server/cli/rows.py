"""Sums as the fields that JSON and CSV give them."""

from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Any, Final

from token_tracking.efficiency import cache_figures
from token_tracking.metrics import Report, ReportRow
from token_tracking.pricing import usd
from token_tracking.store import Sums
from token_tracking_server.cli.output import number

LABELS: Final = {
    "day": "day",
    "week": "week",
    "month": "month",
    "block": "block_start",
    "model": "model",
    "project": "project",
    "session": "session_id",
}


def cost(sums: Sums) -> Decimal | None:
    """USD of the priced messages; `None` where there are messages and none has a price."""
    if sums.messages and sums.messages == sums.unpriced_messages:
        return None
    return usd(sums.cost_pico)


def sums_fields(sums: Sums) -> dict[str, Any]:
    """Counts (tokens, messages) and money (USD) as numbers or null."""
    cache = cache_figures(sums)
    return {
        "messages": sums.messages,
        "prompt_tokens": sums.prompt_tokens,
        "input_tokens": sums.input_tokens,
        "output_tokens": sums.output_tokens,
        "cache_read_tokens": sums.cache_read_tokens,
        "cache_write_tokens": sums.cache_write_tokens,
        "cache_write_5m_tokens": sums.cache_write_5m_tokens,
        "cache_write_1h_tokens": sums.cache_write_1h_tokens,
        "total_tokens": sums.total_tokens,
        "cost_usd": number(cost(sums)),
        "cache_hit_rate": cache.hit_rate,
        "cache_savings_usd": number(cache.net_savings_usd),
        "cache_write_premium_usd": number(cache.write_premium_usd),
        "tool_uses": sums.tool_uses,
        "partial_messages": sums.partial_messages,
        "unpriced_messages": sums.unpriced_messages,
    }


def row_fields(report: Report, row: ReportRow, zone: tzinfo) -> dict[str, Any]:
    """A row of a report: its label, its sums, and for some groupings when and where."""
    fields: dict[str, Any] = {LABELS[report.by]: row.label}
    if report.by == "session":
        fields["project"] = row.project or None
    if row.first_at is not None:
        fields["first_at"] = iso(row.first_at, zone)
    if row.last_at is not None:
        fields["last_at"] = iso(row.last_at, zone)
    return {**fields, **sums_fields(row.sums)}


def iso(at: int, zone: tzinfo) -> str:
    """Milliseconds since 1970 UTC in ISO 8601."""
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(zone).isoformat(timespec="seconds")
