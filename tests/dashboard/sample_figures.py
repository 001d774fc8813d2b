"""Figures as a ledger could have them, made up: for what the page does with any figures."""

from collections.abc import Mapping
from datetime import UTC, tzinfo
from decimal import Decimal
from typing import Any, Literal

from msgspec.structs import replace

from token_tracking.efficiency.session_timeline import Timeline, TimelineRequest
from token_tracking.efficiency.snapshot import (
    Advice,
    Against,
    CacheHealth,
    Candidate,
    Change,
    GroupBy,
    GroupRow,
    Groups,
    Overall,
    Reconciled,
    Snapshot,
    Trend,
    TrendPoint,
)
from token_tracking.errors import InvalidPeriodError, StoreError, UnknownSessionError
from token_tracking.limits import Alert, QuotaStatus
from token_tracking.shares import Metric
from token_tracking_server.dashboard.figures import (
    GroupItems,
    LedgerState,
    SessionPage,
    SessionRow,
)
from token_tracking_server.dashboard.group_items import grouped, is_of
from token_tracking_server.limits import Limits

SESSION = "3f1c9a52-6f0e-4a39-9d0b-5a1f6d0c7e11"
PROJECT = "/home/sam/shop"
NOON = 1_772_452_800_000
"""Monday, 2 March 2026, noon in UTC."""
_DAY = 86_400_000
_MINUTE = 60_000
_MODELS = ("claude-opus-4-6", "claude-sonnet-4-6", "claude-haiku-4-5")


def usd(text: str) -> Decimal:
    """Money."""
    return Decimal(text)


def row(label: str, cost: str | None, **fields: object) -> GroupRow:
    """A row whose cost is a third for bringing it in."""
    whole = None if cost is None else usd(cost)
    first = None if whole is None else (whole / 3).quantize(Decimal("0.0001"))
    made = GroupRow(
        label=label,
        loads=12,
        tokens=48_200,
        carried=310,
        prompt_tokens=1_204_000,
        cost_usd=whole,
        first_usd=first,
        carry_usd=None if whole is None or first is None else whole - first,
        share=None if whole is None else float(whole / usd("41.20")),
        efficiency=78.4,
    )
    return replace(made, **fields)


ITEMS = [
    row(
        "Base of the prompt (system prompt, tools, memory)",
        "1.9321",
        kind="base",
        item="base",
        loads=1,
        tokens=21_400,
        carried=24,
        entered_at=NOON,
        session_id=SESSION,
    ),
    row(
        "Read /home/sam/shop/src/checkout/cart.py",
        "0.8412",
        kind="tool",
        name="Read",
        uri="/home/sam/shop/src/checkout/cart.py",
        item="toolu_cart",
        loads=1,
        tokens=9_120,
        carried=22,
        prompt_tokens=200_640,
        entered_at=NOON + 2 * _MINUTE,
        session_id=SESSION,
    ),
    row(
        "list_issues (github)",
        "0.4020",
        kind="tool",
        name="list_issues",
        server="github",
        item="toolu_issues",
        loads=1,
        tokens=6_044,
        carried=14,
        prompt_tokens=84_616,
        entered_at=NOON + 9 * _MINUTE,
        session_id=SESSION,
        efficiency=-3.1,
    ),
    row(
        "Your messages",
        "0.0312",
        kind="user",
        item="user_1",
        loads=1,
        tokens=312,
        carried=24,
        entered_at=NOON,
        session_id=SESSION,
    ),
]


def quota(measure: Literal["tokens", "usd"], **given: Any) -> QuotaStatus:
    """One account of a user in the present day."""
    fields: dict[str, Any] = {
        "subject": "user",
        "name": "sam",
        "period": "day",
        "is_hard": True,
        "reserved": 0,
        "share": 0.62,
        "requests": 12,
        "unpriced": 0,
        "estimated": 0,
        "starts_at": NOON,
        "resets_at": NOON + _DAY,
        "forecast_at": None,
        "forecast_note": "not before it resets",
        "forecast_basis": "estimated",
    }
    return QuotaStatus(measure=measure, **{**fields, **given})


LIMITS = Limits(
    quotas=[
        quota(
            "tokens",
            used=62_000,
            limit=100_000,
            reserved=8_000,
            forecast_at=NOON + _DAY // 2,
            forecast_note="at the pace since the period's first request",
        ),
        quota("usd", used=Decimal("3.1"), limit=Decimal(5), is_hard=False, unpriced=2),
    ],
    alerts=[
        Alert(
            id=1,
            kind="share",
            subject="user",
            name="sam",
            period="day",
            measure="usd",
            share=0.5,
            used=Decimal("2.6"),
            limit=Decimal(5),
            is_hard=False,
            starts_at=NOON,
            resets_at=NOON + _DAY,
            raised_at=NOON + 1000,
        )
    ],
)


class SampleFigures:
    """The same figures whatever is asked for; `version` is what a test sets it to."""

    def __init__(self, *, messages: int = 412, problem: str | None = None) -> None:
        self.messages = messages
        self.problem = problem
        self.version = "1"
        self.is_broken = False
        self.has_limits = True
        self.is_closed = False
        self.session = SESSION

    @property
    def zone(self) -> tzinfo:
        return UTC

    async def state(self) -> LedgerState:
        return LedgerState(
            version=self.version,
            timezone="UTC",
            messages=self.messages,
            last_at=NOON + _DAY,
            database="/home/sam/.local/share/token-tracking/ledger.db",
            claude_dirs=["/home/sam/.claude"],
            problem=self.problem,
        )

    async def refresh(self) -> str:
        return self.version

    async def snapshot(self, period: str, project: str | None) -> Snapshot:
        self._check(period)
        return snapshot(period, self.messages)

    async def trend(self, period: str, project: str | None) -> Trend:
        self._check(period)
        return trend(period)

    async def groups(
        self, by: GroupBy, period: str, project: str | None, metric: Metric, limit: int
    ) -> Groups:
        self._check(period)
        rows = [] if by == "skill" else rows_by(by)
        return Groups(
            by=by,
            metric=metric,
            period=period,
            start=None,
            end=None,
            rows=rows[:limit],
            totals=row("All prompts", "41.20", share=1.0),
            left_out=max(len(rows) - limit, 0),
        )

    async def items(
        self, by: GroupBy, of: Mapping[str, str], period: str, project: str | None, limit: int
    ) -> GroupItems:
        self._check(period)
        group = next((each for each in rows_by(by) if is_of(of, each)), None)
        rows = [each for each in ITEMS if is_of(of, grouped(by, each))]
        return GroupItems(group=group, rows=rows[:limit], looked_at=1_000, error_p95=0.33)

    async def sessions(self, project: str | None, offset: int, limit: int) -> SessionPage:
        made = [
            SessionRow(
                session_id=self.session
                if number == 0
                else f"{number:08d}-0000-4000-8000-000000000000",
                project=PROJECT,
                first_at=NOON - number * _DAY,
                last_at=NOON - number * _DAY + 47 * _MINUTE,
                messages=24 + number,
                prompt_tokens=1_840_000,
                output_tokens=18_200,
                cost_usd=usd("3.4127") if number != 2 else None,
            )
            for number in range(3)
        ]
        shown = made[offset : offset + limit]
        more = offset + limit < len(made)
        return SessionPage(sessions=shown, next_offset=offset + limit if more else None)

    async def timeline(self, session_id: str) -> Timeline:
        if session_id != self.session:
            raise UnknownSessionError(f"There is no session {session_id}.")
        return replace(timeline(), session_id=session_id)

    async def advice(self, period: str, project: str | None) -> list[Advice]:
        self._check(period)
        return advice()

    async def limits(self) -> Limits:
        return LIMITS if self.has_limits else Limits(quotas=[], alerts=[])

    async def close(self) -> None:
        self.is_closed = True

    def _check(self, period: str) -> None:
        if self.is_broken:
            raise StoreError("The ledger is locked by another program. Try again.")
        if period == "fortnight":
            raise InvalidPeriodError("There is no period 'fortnight': use last_week.")


def rows_by(by: str) -> list[GroupRow]:
    """Some rows of any grouping."""
    if by == "project":
        return [
            row(PROJECT, "30.10", project=PROJECT),
            row("/home/sam/blog", "11.10", project="/home/sam/blog"),
        ]
    if by == "item":
        return ITEMS
    return [
        row("Read", "14.8210", kind="tool", name="Read"),
        row("Base of the prompt (system prompt, tools, memory)", "12.0450", kind="base"),
        row("Answers", "6.7731", kind="answer", efficiency=-2.4),
        row("list_issues (github)", "4.2000", kind="tool", name="list_issues", server="github"),
        row("/home/sam/shop/a/very/long/path/that/does/not/fit/anywhere/module.py", "0.0042"),
        row("<img src=x onerror=alert(1)>", None, efficiency=None),
        row("Everything else", "3.3567", is_rest=True),
    ]


def trend(period: str = "last_week") -> Trend:
    """A week, with a day on which nothing happened."""
    points = [
        TrendPoint(
            label=f"2026-03-{number + 1:02d}",
            start=NOON + (number - 1) * _DAY,
            messages=40 + 7 * number if number != 3 else 0,
            prompt_tokens=(2_000_000 + 310_000 * number) if number != 3 else 0,
            output_tokens=31_000 if number != 3 else 0,
            cost_usd=usd("5.9") + number if number != 3 else None,
            hit_rate=0.86 + 0.012 * number if number != 3 else None,
            efficiency=71.0 + number if number != 3 else None,
            models={}
            if number == 3
            else dict(zip(_MODELS, (usd("4.1") + number, usd("1.5"), usd("0.3")), strict=True)),
        )
        for number in range(7)
    ]
    return Trend(
        period=period,
        step="day",
        points=points,
        changes=[
            Change(
                metric="cost_per_message",
                now=0.1,
                before=0.12,
                change=-0.167,
                direction="improving",
                can_tell=True,
                reason="Welch's t-test: p < 0.01.",
            ),
            Change(
                metric="hit_rate",
                now=0.91,
                before=0.93,
                change=-0.021,
                direction="declining",
                can_tell=True,
                reason="Welch's t-test: p = 0.03.",
            ),
            Change(
                metric="efficiency",
                now=74.0,
                before=73.0,
                change=0.014,
                direction="stable",
                can_tell=False,
                reason="So few messages vary this much by chance.",
            ),
        ],
        direction="improving",
    )


def reconciled() -> Reconciled:
    """A ledger that lacks a little."""
    return Reconciled(
        sessions=2,
        sessions_without_total=1,
        client_usd=usd("38.12"),
        ledger_usd=usd("36.90"),
        difference_usd=usd("1.22"),
        partial_output_usd=usd("0.70"),
        unseen_calls_usd=usd("0.41"),
        unexplained_usd=usd("0.11"),
        reasons=["Calls in the background stand in no line of the transcript."],
    )


def advice() -> list[Advice]:
    """Two findings."""
    return [
        Advice(
            kind="unused_server",
            subject="linear",
            title="The MCP server linear is never called",
            evidence="Its tools stood in the prompts of 3 sessions, 41,200 tokens in all.",
            action="Remove it from these projects: claude mcp remove linear",
            at_stake_usd=usd("2.1840"),
            tokens=41_200,
            count=3,
            sessions=3,
            session_id=SESSION,
            basis="estimated",
        ),
        Advice(
            kind="reread",
            subject="cart.py",
            title="cart.py was read 4 times unchanged",
            evidence="36,480 tokens again, judged by its size and the edits between.",
            action="Ask for the part that is needed, or let a subagent read it.",
            at_stake_usd=usd("0.8412"),
            tokens=36_480,
            count=4,
            sessions=1,
            session_id=SESSION,
            basis="estimated",
        ),
    ]


def snapshot(period: str = "last_week", messages: int = 412) -> Snapshot:
    """A week of three sessions."""
    cost = usd("43.3217")
    return Snapshot(
        period=period,
        start=NOON - 6 * _DAY,
        end=None,
        overall=Overall(
            sessions=3,
            messages=messages,
            requests=messages,
            unpriced_messages=0,
            partial_messages=12,
            input_tokens=120_000,
            cache_read_tokens=16_800_000,
            cache_write_5m_tokens=1_400_000,
            cache_write_1h_tokens=210_000,
            output_tokens=214_000,
            prompt_tokens=18_530_000,
            cost_usd=cost,
            prompt_cost_usd=usd("41.20"),
            partial_output_tokens=3_900,
            partial_output_usd=usd("0.70"),
            baselines=[
                Against(
                    baseline="no_cache",
                    requests=412,
                    priced_requests=412,
                    prompt_tokens=18_530_000,
                    baseline_tokens=18_530_000,
                    tokens_saved=0,
                    efficiency=58.2,
                    cost_usd=cost,
                    baseline_cost_usd=usd("103.64"),
                    saved_usd=usd("60.3183"),
                    basis="measured",
                ),
                Against(
                    baseline="no_jit",
                    requests=120,
                    priced_requests=120,
                    prompt_tokens=3_000_000,
                    baseline_tokens=2_800_000,
                    tokens_saved=-200_000,
                    efficiency=-7.1,
                    cost_usd=usd("9.1"),
                    baseline_cost_usd=usd("8.4"),
                    saved_usd=usd("-0.7"),
                    basis="estimated",
                    error_p95=0.084,
                ),
            ],
        ),
        by_category=rows_by("category"),
        cache=CacheHealth(
            read_tokens=16_800_000,
            write_tokens=1_610_000,
            hit_rate_tokens=0.907,
            hit_rate_requests=0.98,
            unread_write_tokens=182_000,
            unread_write_usd=usd("0.2275"),
            lapses=4,
            lapse_tokens=390_000,
            lapse_usd=usd("2.2425"),
            switches=0,
            switch_usd=usd("0"),
            unseen_write_tokens=0,
            unseen_write_usd=usd("0"),
            net_savings_usd=usd("60.3183"),
            write_premium_usd=usd("2.8"),
        ),
        trend=trend(period),
        top_performers=rows_by("tool")[:2],
        needs_optimization=[
            Candidate(
                row=rows_by("tool")[2],
                reason="Caching lost money on it.",
                threshold="efficiency under 0%",
                at_stake_usd=usd("0.1587"),
            )
        ],
        reconciliation=reconciled(),
    )


def timeline() -> Timeline:
    """A session of 24 requests, two of them in a subagent."""
    requests = [
        TimelineRequest(
            key=f"msg_{number:02d}",
            at=NOON + 2 * number * _MINUTE,
            chain="agent-7" if number in {11, 12} else "",
            model="claude-opus-4-6",
            cache_read_tokens=0 if number == 0 else 18_000 + 2_400 * number,
            cache_write_5m_tokens=22_000 if number == 0 else 2_100,
            cache_write_1h_tokens=0,
            input_tokens=6,
            output_tokens=640,
            is_final=number != 5,
            cost_usd=usd("0.1422"),
            prompt_cost_usd=usd("0.1262"),
            entered={0: ["base", "user_1"], 1: ["toolu_cart"], 4: ["toolu_issues"]}.get(number, []),
        )
        for number in range(24)
    ]
    return Timeline(
        session_id=SESSION,
        project=PROJECT,
        first_at=NOON,
        last_at=NOON + 47 * _MINUTE,
        requests=requests,
        total_requests=24,
        items=ITEMS,
        total_items=len(ITEMS),
        prompt_tokens=1_131_000,
        prompt_cost_usd=usd("3.0288"),
        cost_usd=usd("3.4128"),
        findings=advice()[1:],
        reconciliation=reconciled(),
    )
