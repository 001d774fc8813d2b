"""Values as metrics give them, for what shows them."""

from decimal import Decimal
from typing import Any

from token_tracking.efficiency.session_timeline import Timeline, TimelineRequest
from token_tracking.efficiency.snapshot import (
    Advice,
    Change,
    GroupRow,
    Reconciled,
    Trend,
    TrendPoint,
)

LONG = "/home/sam/code/clients/northwind/services/billing/src/invoices/generated/schema_v2.py"


def group_row(label: str = "Read", **fields: Any) -> GroupRow:
    """Two loads of 12,345 tokens, carried 1,234 times for $42.17 and $312.45 more."""
    given: dict[str, Any] = {
        "loads": 2,
        "tokens": 12_345,
        "carried": 1_234,
        "prompt_tokens": 8_000_000,
        "cost_usd": Decimal("354.62"),
        "first_usd": Decimal("42.17"),
        "carry_usd": Decimal("312.45"),
        "share": 0.123,
        "efficiency": 88.1,
        "saved_usd": Decimal("2625.50"),
    }
    return GroupRow(label=label, **{**given, **fields})


def point(label: str, cost: str | None = "1.00", **fields: Any) -> TrendPoint:
    """A day of 10 messages."""
    given: dict[str, Any] = {
        "start": 0,
        "messages": 10,
        "prompt_tokens": 1_000_000,
        "output_tokens": 5_000,
        "hit_rate": 0.95,
        "efficiency": 80.0,
        "models": {},
    }
    amount = None if cost is None else Decimal(cost)
    return TrendPoint(label=label, cost_usd=amount, **{**given, **fields})


def change(metric: str = "cost_per_message", **fields: Any) -> Change:
    """A fifth less than before, which is no chance."""
    given: dict[str, Any] = {
        "now": 0.08,
        "before": 0.1,
        "change": -0.2,
        "direction": "improving",
        "can_tell": True,
        "reason": "",
    }
    return Change(metric=metric, **{**given, **fields})


def trend(*points: TrendPoint, **fields: Any) -> Trend:
    """Days, with nothing before them."""
    given: dict[str, Any] = {"period": "7d", "step": "day", "changes": [], "direction": "stable"}
    return Trend(points=list(points), **{**given, **fields})


def advice(**fields: Any) -> Advice:
    """A server that nobody called."""
    given: dict[str, Any] = {
        "kind": "unused_server",
        "subject": "github",
        "title": "The MCP server github was never called.",
        "evidence": "Its list of tools stood in the prompts of 12 sessions, 1,234 times.",
        "action": "Remove it where you do not need it: claude mcp remove github",
        "at_stake_usd": Decimal("12.34"),
        "tokens": 50_000,
        "count": 1_234,
        "sessions": 12,
        "session_id": None,
        "basis": "estimated",
    }
    return Advice(**{**given, **fields})


def reconciled(**fields: Any) -> Reconciled:
    """No session told a total of its own."""
    given: dict[str, Any] = {
        "sessions": 0,
        "sessions_without_total": 1,
        "client_usd": None,
        "ledger_usd": None,
        "difference_usd": None,
        "partial_output_usd": None,
        "unseen_calls_usd": None,
        "unexplained_usd": None,
        "reasons": [],
    }
    return Reconciled(**{**given, **fields})


def request(key: str = "msg_1", **fields: Any) -> TimelineRequest:
    """One that wrote 1,000 tokens and answered 10."""
    given: dict[str, Any] = {
        "at": 1_772_452_800_000,
        "chain": "",
        "model": "claude-opus-4-6",
        "cache_read_tokens": 0,
        "cache_write_5m_tokens": 1_000,
        "cache_write_1h_tokens": 0,
        "input_tokens": 5,
        "output_tokens": 10,
        "is_final": True,
        "cost_usd": Decimal("0.0065"),
        "prompt_cost_usd": Decimal("0.006275"),
        "entered": ["base"],
    }
    return TimelineRequest(key=key, **{**given, **fields})


def timeline(*items: GroupRow, **fields: Any) -> Timeline:
    """A session of one request with these items."""
    given: dict[str, Any] = {
        "session_id": "11111111-1111-4111-8111-111111111111",
        "project": "/home/sam/shop",
        "first_at": 1_772_452_800_000,
        "last_at": 1_772_452_860_000,
        "requests": [request()],
        "total_requests": 1,
        "total_items": len(items),
        "prompt_tokens": 1_005,
        "prompt_cost_usd": Decimal("0.006275"),
        "cost_usd": Decimal("0.0065"),
        "findings": [],
        "reconciliation": reconciled(),
    }
    return Timeline(items=list(items), **{**given, **fields})
