"""Periods and sessions as attribution has them, from transcripts to figures."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from benchmarks.transcripts import build_tree
from tests.store.test_contract import MODEL, NOON, event
from tests.transcripts import SESSION, answer, asked, text, tool_result, tool_use, usage, write
from token_tracking.efficiency.groupings import GROUPINGS
from token_tracking.efficiency.snapshot import GroupRow, Groups
from token_tracking.errors import InvalidPeriodError, UnknownMetricError, UnknownSessionError
from token_tracking.ingest import ingest_claude_code
from token_tracking.metrics import TokenMetrics
from token_tracking.metrics.timeline import NOT_YET
from token_tracking.pricing import usd
from token_tracking.shares import METRICS
from token_tracking.store import Sums, TokenStore
from token_tracking.usage import Place, Usage

DAY = "2026-03-02..2026-03-03"
MICRO = Decimal("0.000001")


def billed(read: int, written: int, output: int = 10) -> dict[str, Any]:
    """The usage of a request: 5 tokens more are neither read nor written."""
    return usage(output, cache_read_input_tokens=read, cache_creation_input_tokens=written)


def whole(groups: Groups) -> GroupRow:
    assert groups.totals is not None
    return groups.totals


@pytest.fixture
def talk(claude: Path) -> Path:
    """Two requests of Opus 4.6 (5 USD a million, 0.5 read, 6.25 written, 25 out), with 100 tokens
    of a result between them."""
    write(
        claude,
        [
            asked("x" * 300),
            answer(
                "msg_1", uuid="1", parent="u-u", second=2, billed=billed(0, 1000),
                content=[tool_use("toolu_1", "mcp__github__list_issues")],
            ),
            asked([tool_result("toolu_1", "y" * 300)], uuid="r", parent="1", second=3),
            answer("msg_2", uuid="2", parent="r", second=4, billed=billed(1000, 110)),
        ],
    )  # fmt: skip
    return claude


@pytest.fixture
async def metrics(store: TokenStore, talk: Path) -> TokenMetrics:
    await ingest_claude_code(store, [talk])
    return TokenMetrics(store, UTC)


async def test_a_snapshot_is_what_one_reckons_by_hand(metrics: TokenMetrics) -> None:
    found = await metrics.get_efficiency_snapshot(DAY)
    overall, cache = found.overall, found.cache
    assert (overall.sessions, overall.messages, overall.requests) == (1, 2, 2)
    assert (overall.prompt_tokens, overall.output_tokens) == (1005 + 1115, 20)
    # 5 + 5 plain, 1,110 written, 1,000 read, 20 out.
    assert overall.cost_usd == (10 * 5 + 1110 * Decimal("6.25") + 500 + 20 * 25) * MICRO
    assert overall.prompt_cost_usd == Decimal("7487.5") * MICRO
    assert overall.unattributed_tokens == 0
    (no_cache,) = overall.baselines
    assert no_cache.baseline_cost_usd == (2120 * 5 + 20 * 25) * MICRO
    assert no_cache.saved_usd == Decimal("3112.5") * MICRO
    assert cache.hit_rate_tokens == 1000 / 2120
    assert cache.hit_rate_requests == 0.5
    assert cache.net_savings_usd == no_cache.saved_usd
    assert cache.write_premium_usd == Decimal("1387.5") * MICRO
    # Nothing was sent after the second request: what it wrote was never read.
    assert cache.unread_write_tokens == 110
    assert found.trend is not None
    assert [point.messages for point in found.trend.points] == [0] * 12 + [2] + [0] * 11
    assert found.reconciliation.sessions_without_total == 1
    assert (await metrics.get_efficiency_snapshot(DAY, include_trend=False)).trend is None


async def test_a_server_has_its_cost_from_the_moment_its_result_entered(
    metrics: TokenMetrics,
) -> None:
    groups = await metrics.get_groups("mcp-server", DAY)
    server, rest = groups.rows
    assert (server.label, server.loads, server.tokens, server.carried) == ("github", 1, 100, 1)
    assert server.cost_usd == server.first_usd == (95 * Decimal("6.25") + 5 * 5) * MICRO
    assert (rest.label, rest.is_rest) == ("From no MCP server", True)
    assert groups.totals is not None
    assert groups.totals.prompt_tokens == server.prompt_tokens + rest.prompt_tokens == 2120
    assert (groups.period, groups.left_out) == (DAY, 0)


async def test_the_rows_of_every_grouping_add_up_to_the_prompts(metrics: TokenMetrics) -> None:
    for by in GROUPINGS:
        groups = await metrics.get_groups(by)
        assert groups.totals is not None
        for name in ("prompt_tokens", "cost_usd", "first_usd", "carry_usd", "carried", "loads"):
            found = sum(getattr(row, name) for row in groups.rows)
            assert found == getattr(groups.totals, name)
        assert groups.totals.cost_usd == Decimal("7487.5") * MICRO
        assert groups.totals.prompt_tokens == 2120
        assert (await metrics.get_groups(by, "2026-03-03..")).rows == []
        bounded = await metrics.get_groups(by, DAY)
        assert [row.cost_usd for row in bounded.rows] == [row.cost_usd for row in groups.rows]
        assert bounded.totals == (None if by == "item" else groups.totals)


@pytest.mark.parametrize("period", ["all_time", DAY, "2026-03-02..", "..2026-03-03"])
async def test_a_snapshot_is_the_same_with_its_trend(metrics: TokenMetrics, period: str) -> None:
    alone = await metrics.get_efficiency_snapshot(period, include_trend=False)
    told = await metrics.get_efficiency_snapshot(period)
    assert told.trend is not None
    assert replace(told, trend=None) == alone
    assert alone.overall.messages


async def test_items_of_a_bounded_period_are_told_with_their_whole_life(
    metrics: TokenMetrics,
) -> None:
    groups = await metrics.get_groups("item", DAY)
    assert groups.rows
    assert {row.share for row in groups.rows} == {None}


async def test_rows_beyond_a_limit_are_counted(metrics: TokenMetrics) -> None:
    groups = await metrics.get_groups("tool", limit=1)
    assert (groups.rows[0].label[:18], groups.left_out) == ("Base of the prompt", 3)
    items = await metrics.get_groups("item", limit=3, metric="efficiency")
    assert (len(items.rows), items.left_out) == (3, 1)


async def test_a_limit_leaves_the_largest_and_counts_the_others(
    store: TokenStore, tmp_path: Path
) -> None:
    await ingest_claude_code(store, [build_tree(tmp_path / "tree", 2, 3, None)])
    metrics = TokenMetrics(store, UTC)
    cut = await _middle(store)
    for by in ("path", "skill", "project", "tool"):
        for period in ("all_time", (cut, date(3000, 1, 1)), (date(2000, 1, 1), cut)):
            for metric in METRICS:
                every = await metrics.get_groups(by, period, metric=metric)
                few = await metrics.get_groups(by, period, metric=metric, limit=2)
                assert few.rows == every.rows[:2]
                assert few.left_out == every.left_out + len(every.rows) - len(few.rows)
                assert few.totals == every.totals


async def test_the_top_of_each_metric(metrics: TokenMetrics) -> None:
    for metric in ("cost", "tokens", "carried"):
        rows = await metrics.get_top_resources(metric, 2, DAY)
        assert rows[0].kind == "base"
        assert len(rows) == 2
    best = await metrics.get_top_resources("efficiency", 1)
    # The prompt's start was written once and read once; the rest was not read.
    assert [row.kind for row in best] == ["base"]
    assert best[0].efficiency == pytest.approx((10 - 6.75) * 10)  # pyright: ignore[reportUnknownMemberType]


async def test_by_category_and_savings_are_those_of_the_snapshot(metrics: TokenMetrics) -> None:
    found = await metrics.get_efficiency_snapshot()
    assert await metrics.get_by_category() == found.by_category
    assert await metrics.get_cost_savings() == found.overall.baselines
    assert await metrics.get_reconciliation() == found.reconciliation
    assert await metrics.get_trend("all_time") == found.trend
    assert await metrics.get_advice() == []


async def test_a_project_is_chosen_by_its_path_or_a_part_of_it(metrics: TokenMetrics) -> None:
    for project in ("/home/sam/shop", "shop"):
        found = await metrics.get_groups("project", project=project)
        assert [row.label for row in found.rows] == ["/home/sam/shop"]
        assert whole(found).prompt_tokens == 2120
    nothing = await metrics.get_efficiency_snapshot(project="nowhere")
    assert (nothing.overall.sessions, nothing.overall.messages) == (0, 0)
    assert nothing.by_category == []
    assert await metrics.get_top_resources(project="nowhere") == []


async def test_a_timeline_says_what_entered_with_each_request(metrics: TokenMetrics) -> None:
    found = await metrics.get_timeline(SESSION)
    assert [(each.key, each.chain, each.entered) for each in found.requests] == [
        ("msg_1", "", ["base", "u-u"]),
        ("msg_2", "", ["msg_1", "toolu_1"]),
    ]
    first, second = found.requests
    assert (first.cache_read_tokens, first.cache_write_5m_tokens, first.input_tokens) == (
        0,
        1000,
        5,
    )
    assert (second.cache_read_tokens, second.cache_write_5m_tokens) == (1000, 110)
    assert first.prompt_cost_usd == (25 + 6250) * MICRO
    assert second.cost_usd == (Decimal("1212.5") + 250) * MICRO
    assert {row.item: row.tokens for row in found.items} == {
        "base": 897, "u-u": 108, "msg_1": 10, "toolu_1": 100,
    }  # fmt: skip
    assert sum(row.cost_usd or 0 for row in found.items) == found.prompt_cost_usd
    assert (found.prompt_tokens, found.total_items, found.problem) == (2120, 4, None)
    short = await metrics.get_timeline(SESSION, limit=1, items=2)
    assert (len(short.requests), short.total_requests) == (1, 2)
    assert [row.item for row in short.items] == ["base", "u-u"]


async def test_a_session_that_is_not_attributed_yet_says_so(metrics: TokenMetrics) -> None:
    found = await metrics.get_timeline(SESSION, settle=False)
    assert (found.problem, found.items, len(found.requests)) == (NOT_YET, [], 2)
    assert (await metrics.get_session_shares(SESSION, settle=False)).problem == NOT_YET
    behind = await metrics.get_efficiency_snapshot(settle=False)
    assert (behind.overall.prompt_tokens, behind.overall.unattributed_tokens) == (2120, 2120)
    shares = await metrics.get_session_shares(SESSION)
    assert (shares.prompt_tokens, usd(shares.prompt_pico or 0)) == (2120, Decimal("0.0074875"))
    assert {each.id for each in shares.items} == {"base", "u-u", "msg_1", "toolu_1"}


async def test_the_efficiency_of_a_session_is_that_of_its_own_messages(
    metrics: TokenMetrics,
) -> None:
    found = await metrics.calculate_session_efficiency(
        SESSION, custom=lambda request: Usage(input_tokens=2 * request.usage.prompt_tokens)
    )
    assert (found.messages, found.requests, found.prompt_tokens) == (2, 2, 2120)
    assert found.prompt_cost_usd == Decimal("0.0074875")
    assert [each.baseline for each in found.baselines] == ["no_cache", "custom"]
    custom = found.baselines[1]
    assert (custom.tokens_saved, custom.efficiency) == (2120, 50.0)
    assert custom.baseline_cost_usd == 4240 * 5 * MICRO
    assert found.cache.hit_rate_requests == 0.5
    assert {row.category for row in found.by_category} == {"base", "user", "answer", "github"}
    assert found.problem is None


async def test_what_does_not_exist_is_an_error(metrics: TokenMetrics) -> None:
    with pytest.raises(InvalidPeriodError, match="last_hour, last_day, last_week"):
        await metrics.get_efficiency_snapshot("yesterday")
    with pytest.raises(UnknownMetricError, match="carried"):
        await metrics.get_top_resources("price")
    with pytest.raises(UnknownMetricError, match="mcp-server"):
        await metrics.get_groups("folder")
    for ask in (
        metrics.get_timeline,
        metrics.get_session_shares,
        metrics.calculate_session_efficiency,
    ):
        with pytest.raises(UnknownSessionError, match="nobody"):
            await ask("nobody")


async def test_an_empty_ledger_has_a_snapshot_of_nothing(store: TokenStore) -> None:
    metrics = TokenMetrics(store, UTC)
    for period in ("last_hour", "last_day", "last_week", "last_month", "all_time"):
        found = await metrics.get_efficiency_snapshot(period)
        assert found.overall.messages == 0
        assert (found.overall.cost_usd, found.cache.hit_rate_tokens) == (None, None)
        assert (found.by_category, found.needs_optimization, found.top_performers) == ([], [], [])
        assert found.trend is not None
        assert found.trend.direction == "stable"


async def test_a_generated_tree_adds_up_in_every_grouping_and_in_its_parts(
    store: TokenStore, tmp_path: Path
) -> None:
    await ingest_claude_code(store, [build_tree(tmp_path / "tree", 6, 3, None)])
    metrics = TokenMetrics(store, UTC)
    snapshot = await metrics.get_efficiency_snapshot()
    assert snapshot.overall.unattributed_tokens == 0
    for by in GROUPINGS:
        groups = await metrics.get_groups(by, limit=10**6)
        assert groups.left_out == 0
        assert whole(groups).prompt_tokens == snapshot.overall.prompt_tokens > 0
        assert whole(groups).cost_usd == snapshot.overall.prompt_cost_usd
        assert sum(row.prompt_tokens for row in groups.rows) == whole(groups).prompt_tokens
        assert sum(row.cost_usd or 0 for row in groups.rows) == whole(groups).cost_usd
    assert snapshot.trend is not None
    assert sum(point.messages for point in snapshot.trend.points) == snapshot.overall.messages
    cut = await _middle(store)
    halves = [
        await metrics.get_groups("tool", period)
        for period in ((date(2000, 1, 1), cut), (cut, date(3000, 1, 1)))
    ]
    assert sum(whole(half).prompt_tokens for half in halves) == snapshot.overall.prompt_tokens
    assert all(whole(half).prompt_tokens for half in halves)


async def _middle(store: TokenStore) -> datetime:
    """A time with as many messages before it as after it, about."""
    times = sorted(each.at for each in await store.message_sums())
    return datetime.fromtimestamp(times[len(times) // 2] / 1000, UTC)


async def test_all_messages_are_in_one_step_whatever_their_clock_said(
    store: TokenStore, talk: Path
) -> None:
    lines = [answer("msg_old", uuid="o", timestamp="1999-05-05T00:00:00.000Z", billed=billed(0, 9))]
    write(talk, lines, "33333333-3333-4333-8333-333333333333")
    await ingest_claude_code(store, [talk])
    trend = await TokenMetrics(store, UTC).get_trend("all_time")
    assert trend.points[0].label == "earlier"
    assert sum(point.messages for point in trend.points) == 3
    assert sum((each.sums for each in await store.message_sums()), start=Sums()).messages == 3


async def test_several_projects_of_one_name_are_one_answer(store: TokenStore) -> None:
    for number, (project, count) in enumerate((("/a/shop", 1), ("/b/shop", 2), ("/c/other", 4))):
        at = NOON + number
        place = Place(session_id=f"s{number}", timestamp=at, cwd=project)
        usage = Usage(input_tokens=1000 * count)
        await store.save_usage(event(f"msg_{number}", at, usage=usage, places=(place,)))
    metrics = TokenMetrics(store, UTC)
    assert (await metrics.get_efficiency_snapshot(project="shop")).overall.prompt_tokens == 3000
    (base,) = await metrics.get_top_resources(project="shop")
    assert (base.kind, base.loads, base.prompt_tokens, base.share) == ("base", 2, 3000, 1.0)
    rows = (await metrics.get_groups("project", project="shop")).rows
    assert [(row.label, row.prompt_tokens) for row in rows] == [
        ("/b/shop", 2000),
        ("/a/shop", 1000),
    ]
    items = await metrics.get_groups("item", project="shop", metric="tokens", limit=1)
    assert [(row.project, row.tokens) for row in items.rows] == [("/b/shop", 2000)]
    assert items.left_out == 1


async def test_what_a_library_brought_is_of_its_category(store: TokenStore, claude: Path) -> None:
    load = tool_use("toolu_1", "mcp__library__load_content", uris=["content://guides/caching"])
    other = tool_use("toolu_2", "mcp__library__list_content")
    write(
        claude,
        [
            asked("x" * 300),
            answer("msg_1", uuid="1", parent="u-u", second=2, billed=billed(0, 1000),
                   content=[load, other]),
            asked([tool_result("toolu_1", "y" * 300), tool_result("toolu_2", "y" * 300)],
                  uuid="r", parent="1", second=3),
            answer("msg_2", uuid="2", parent="r", second=4, billed=billed(1000, 210)),
        ],
    )  # fmt: skip
    await ingest_claude_code(store, [claude])
    metrics = TokenMetrics(store, UTC)
    for period in ("all_time", DAY):
        rows = {row.label: row for row in await metrics.get_by_category(period)}
        assert (rows["guides"].kind, rows["guides"].tokens) == ("library", 100)
        assert (rows["library"].kind, rows["library"].tokens) == ("mcp-server", 100)
        assert sum(row.prompt_tokens for row in rows.values()) == 1005 + 1215


def read_of(number: int) -> list[dict[str, Any]]:
    """A result of 20,000 tokens that the call before asked for, and the next call for it."""
    call = tool_use(f"toolu_{number}", "Read", file_path="/a.py")
    result = tool_result(f"toolu_{number - 1}", "y" * 60_000)
    sent = billed(1000 + 20_010 * (number - 1), 20_010)
    return [
        asked([result], uuid=f"r{number}", parent=str(number - 1), second=2 * number + 1),
        answer(
            f"msg_{number}", uuid=str(number), parent=f"r{number}", second=2 * number + 2,
            billed=sent, content=[call] if number < 2 else None,
        ),
    ]  # fmt: skip


async def test_a_file_that_was_read_again_is_worth_a_look(store: TokenStore, claude: Path) -> None:
    call = tool_use("toolu_0", "Read", file_path="/a.py")
    first = answer(
        "msg_0", uuid="0", parent="u-u", second=2, billed=billed(0, 1000), content=[call]
    )
    write(claude, [asked("x" * 300), first, *read_of(1), *read_of(2)])
    await ingest_claude_code(store, [claude])
    metrics = TokenMetrics(store, UTC)
    found = await metrics.get_efficiency_snapshot()
    again = [each for each in found.needs_optimization if each.row.uri == "/a.py"]
    assert [(each.row.label, each.row.loads) for each in again] == [("/a.py", 2)]
    assert again[0].reason.startswith("Loaded again once, unchanged")
    # 20,000 tokens written at 6.25 USD a million, but for the few that were plain input.
    assert Decimal("0.1249") < again[0].at_stake_usd < Decimal("0.125")
    assert "reread" in {each.kind for each in await metrics.get_advice()}
    assert "reread" in {each.kind for each in (await metrics.get_timeline(SESSION)).findings}


async def test_a_trend_is_against_the_period_before(store: TokenStore) -> None:
    day = 86_400_000
    for number in range(70):
        at = NOON + number // 5 * day
        tokens = 1000 if number < 35 else 3000
        usage = Usage(input_tokens=tokens + number % 7)
        await store.save_usage(event(f"msg_{number}", at, usage=usage))
    trend = await TokenMetrics(store, UTC).get_trend("2026-03-09..2026-03-16")
    assert (trend.step, len(trend.points), trend.direction) == ("day", 7, "declining")
    cost = trend.changes[0]
    assert (cost.can_tell, round(cost.change or 0, 1)) == (True, 2.0)
    assert "more than chance" in cost.reason


async def test_a_session_and_its_period_are_reconciled_with_the_clients_total(
    store: TokenStore, talk: Path
) -> None:
    used = {"inputTokens": 10, "outputTokens": 20, "costUSD": 0.0579875}
    total = {"type": "cost-state", "sessionId": SESSION, "modelUsage": {MODEL: used}}
    path = next(talk.rglob("*.jsonl"))
    path.write_text(path.read_text() + text([total]))
    await ingest_claude_code(store, [talk])
    metrics = TokenMetrics(store, UTC)
    session = (await metrics.get_timeline(SESSION)).reconciliation
    period = await metrics.get_reconciliation()
    for found in (session, period):
        assert (found.sessions, found.sessions_without_total) == (1, 0)
        assert found.client_usd == Decimal("0.0579875")
        assert found.ledger_usd == Decimal("0.0079875")
        assert found.unexplained_usd == found.difference_usd == Decimal("0.05")
        assert found.reasons
    without = TokenMetrics(store, UTC)
    assert (await without.get_reconciliation("2030-01-01..")).client_usd is None
