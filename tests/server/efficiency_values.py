"""Values of efficiency, as the metrics give them."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeVar

from token_tracking.efficiency.session_timeline import Timeline
from token_tracking.efficiency.snapshot import (
    Advice,
    Against,
    CacheHealth,
    Candidate,
    Change,
    GroupRow,
    Groups,
    Overall,
    Reconciled,
    Snapshot,
    Trend,
    TrendPoint,
)

NOON = 1_772_452_800_000
_Value = TypeVar("_Value")


def _made(kind: Callable[..., _Value], more: dict[str, Any], /, **usual: Any) -> _Value:
    return kind(**(usual | more))


def group(label: str, cost: str | None = "2.5", **more: Any) -> GroupRow:
    """A group that cost 2.50 USD, 0.50 of it at first."""
    usd = None if cost is None else Decimal(cost)
    return _made(
        GroupRow,
        more,
        label=label,
        kind="tool",
        name=label,
        loads=3,
        tokens=12_345,
        carried=1_234,
        prompt_tokens=4_000_000,
        cost_usd=usd,
        first_usd=None if usd is None else usd / 5,
        carry_usd=None if usd is None else usd * 4 / 5,
        share=0.125,
        efficiency=82.5,
    )


def grouped(rows: list[GroupRow], **more: Any) -> Groups:
    """Seven days by tool, for 5 USD."""
    return _made(
        Groups,
        more,
        by="tool",
        metric="cost",
        period="7d",
        start=NOON,
        end=None,
        rows=rows,
        totals=group("All", "5"),
    )


def advice(**more: Any) -> Advice:
    """A finding worth 3.21 USD."""
    return _made(
        Advice,
        more,
        kind="unused_server",
        subject="github",
        title="The MCP server github was never called.",
        evidence="Its tools stood in 12 sessions.",
        action="Run `claude mcp remove github`.",
        at_stake_usd=Decimal("3.21"),
        tokens=5_000,
        count=12,
        sessions=12,
        session_id=None,
        basis="estimated",
    )


def overall(**more: Any) -> Overall:
    """1,000 messages for 20 USD."""
    return _made(
        Overall,
        more,
        sessions=12,
        messages=1_000,
        requests=990,
        unpriced_messages=0,
        partial_messages=0,
        input_tokens=5_000,
        cache_read_tokens=40_000_000,
        cache_write_5m_tokens=1_000_000,
        cache_write_1h_tokens=500_000,
        output_tokens=250_000,
        prompt_tokens=41_505_000,
        cost_usd=Decimal(20),
        prompt_cost_usd=Decimal(18),
        partial_output_tokens=None,
        partial_output_usd=None,
        baselines=[against()],
    )


def against(**more: Any) -> Against:
    """182 USD saved by caching."""
    return _made(
        Against,
        more,
        baseline="no_cache",
        requests=990,
        priced_requests=990,
        prompt_tokens=41_505_000,
        baseline_tokens=41_505_000,
        tokens_saved=0,
        efficiency=91.0,
        cost_usd=Decimal(18),
        baseline_cost_usd=Decimal(200),
        saved_usd=Decimal(182),
        basis="measured",
    )


def cache(**more: Any) -> CacheHealth:
    """Caching that did well."""
    return _made(
        CacheHealth,
        more,
        read_tokens=40_000_000,
        write_tokens=1_500_000,
        hit_rate_tokens=0.964,
        hit_rate_requests=0.98,
        unread_write_tokens=0,
        unread_write_usd=Decimal(0),
        lapses=0,
        lapse_tokens=0,
        lapse_usd=Decimal(0),
        switches=0,
        switch_usd=Decimal(0),
        unseen_write_tokens=0,
        unseen_write_usd=Decimal(0),
        net_savings_usd=Decimal(182),
        write_premium_usd=Decimal(2),
    )


def reconciled(**more: Any) -> Reconciled:
    """No session told a total."""
    return _made(
        Reconciled,
        more,
        sessions=0,
        sessions_without_total=12,
        client_usd=None,
        ledger_usd=None,
        difference_usd=None,
        partial_output_usd=None,
        unseen_calls_usd=None,
        unexplained_usd=None,
        reasons=[],
    )


def point(label: str = "2026-03-02", **more: Any) -> TrendPoint:
    """A day of 100 messages."""
    return _made(
        TrendPoint,
        more,
        label=label,
        start=NOON,
        messages=100,
        prompt_tokens=4_000_000,
        output_tokens=25_000,
        cost_usd=Decimal(2),
        hit_rate=0.95,
        efficiency=90.0,
        models={},
    )


def change(**more: Any) -> Change:
    """A message that costs half of what it did."""
    return _made(
        Change,
        more,
        metric="cost_per_message",
        now=0.02,
        before=0.04,
        change=-0.5,
        direction="improving",
        can_tell=True,
        reason="Welch's test: p = 0.001.",
    )


def trend(**more: Any) -> Trend:
    """Two days."""
    return _made(
        Trend,
        more,
        period="last_week",
        step="day",
        points=[point("2026-03-01"), point("2026-03-02")],
        changes=[change()],
        direction="improving",
    )


def candidate(**more: Any) -> Candidate:
    """A tool that is carried for long."""
    return _made(
        Candidate,
        more,
        row=group("Read"),
        reason="80% of its cost is for carrying it.",
        threshold="a tenth of the period's prompt cost",
        at_stake_usd=Decimal("1.5"),
    )


def snapshot(**more: Any) -> Snapshot:
    """A week."""
    return _made(
        Snapshot,
        more,
        period="last_week",
        start=NOON - 7 * 86_400_000,
        end=None,
        overall=overall(),
        by_category=[group("Read"), group("Bash", "1.25")],
        cache=cache(),
        trend=trend(),
        top_performers=[group("Bash")],
        needs_optimization=[candidate()],
        reconciliation=reconciled(),
    )


def timeline(**more: Any) -> Timeline:
    """A session of two items."""
    return _made(
        Timeline,
        more,
        session_id="s-1",
        project="/home/sam/shop",
        first_at=NOON,
        last_at=NOON,
        requests=[],
        total_requests=40,
        items=[
            group("Read src/a.py", item="toolu_1"),
            group("Base", kind="base", name=None),
        ],
        total_items=2,
        prompt_tokens=4_000_000,
        prompt_cost_usd=Decimal(5),
        cost_usd=Decimal(6),
        findings=[],
        reconciliation=reconciled(),
    )
