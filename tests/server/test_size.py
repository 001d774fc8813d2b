"""No answer is longer than it may be, whatever stands in the ledger, and none says None."""

import json
import re
from datetime import UTC

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mcp import Client

from tests.server.efficiency_values import (
    advice,
    against,
    cache,
    candidate,
    change,
    group,
    overall,
    point,
    reconciled,
    snapshot,
    timeline,
    trend,
)
from token_tracking.counting import encoding_tokens
from token_tracking.efficiency import cache_figures
from token_tracking.efficiency.session_timeline import Timeline
from token_tracking.efficiency.snapshot import Advice, GroupRow, Snapshot, Trend, TrendPoint
from token_tracking.metrics import (
    GROUPINGS,
    JitFigures,
    Period,
    Report,
    ReportRow,
    SessionReport,
    Summary,
)
from token_tracking.metrics.report import By, total
from token_tracking.pricing import usd
from token_tracking.store import SessionLoad, Sums, TokenUsage, ToolSum
from token_tracking.usage import Usage
from token_tracking_server.answers import (
    LIMIT,
    report_answer,
    session_answer,
    sessions_answer,
    summary_answer,
)
from token_tracking_server.answers.advice import advice_answer
from token_tracking_server.answers.groups import group_name, groups_table, top_answer
from token_tracking_server.answers.items import items_answer, top_items
from token_tracking_server.answers.markdown import code, fold, plain
from token_tracking_server.answers.savings import savings_answer
from token_tracking_server.answers.snapshot import snapshot_answer
from token_tracking_server.answers.trend import trend_answer

MOST_TOOL_TOKENS = 900
NOON = 1_772_452_800_000
_NAMED = {"model", "project", "session"}
_quick = settings(max_examples=50, deadline=None)

_names = st.one_of(
    st.text(max_size=300),
    st.sampled_from(["claude-opus-4-6", "", "|" * 200, "`" * 200, "\n# " * 90, "𝔘" * 200]),
)
_counts = st.integers(0, 10**15)


@st.composite
def _sums(draw: st.DrawFn) -> Sums:
    counts = [draw(_counts) for _ in range(9)]
    messages = draw(st.integers(1, 10**9))
    return Sums(messages, draw(st.integers(0, messages)), draw(st.integers(0, messages)), *counts)


@st.composite
def _messages(draw: st.DrawFn) -> TokenUsage:
    cost = draw(st.none() | _counts)
    return TokenUsage(
        message_id=draw(_names),
        timestamp=NOON,
        usage=Usage(input_tokens=draw(_counts), cache_read_tokens=draw(_counts)),
        model=draw(st.none() | _names),
        session_id="s",
        project=None,
        cwd=None,
        git_branch=None,
        source="track",
        stop_reason=draw(st.none() | st.just("end_turn")),
        service_tier=None,
        speed=None,
        inference_geo=None,
        version=None,
        entrypoint=None,
        agent_id=draw(st.none() | _names),
        is_sidechain=draw(st.booleans()),
        attribution=None,
        category=None,
        metadata=None,
        cost_pico=cost,
        no_cache_pico=None if cost is None else draw(_counts),
        write_premium_pico=None if cost is None else draw(_counts),
        unpriced="No price." if cost is None else None,
    )


_tools = st.builds(
    ToolSum, name=_names, server=st.none() | _names, calls=_counts, result_bytes=_counts
)
_loads = st.builds(
    SessionLoad,
    session_id=_names,
    at=st.just(NOON),
    entered_at=st.just(NOON),
    kind=st.just("load"),
    uri=_names,
    category=st.none() | _names,
    tokens=st.none() | _counts,
    overhead_tokens=_counts,
    method=_names,
    origin=st.sampled_from(["server", "transcript", "both", "metadata"]),
    documents=_counts,
    left_at=st.none() | st.just(NOON),
)
_savings = st.none() | st.integers(-(10**15), 10**15)
_jit = st.builds(
    JitFigures,
    loads=st.lists(_loads, max_size=30),
    unsized_loads=_counts,
    rough_loads=_counts,
    searches=_counts,
    library_documents=st.none() | _counts,
    library_tokens=st.none() | _counts,
    loaded_tokens=_counts,
    overhead_tokens=_counts,
    requests=_counts,
    baseline_tokens=st.none() | _counts,
    tokens_saved=_savings,
    efficiency=st.none() | st.floats(-(10**9), 100),
    saved_usd=_savings.map(lambda pico: None if pico is None else usd(pico)),
    unpriced_requests=_counts,
    unpriced=st.none() | _names,
    basis=st.just("estimated"),
    error_p95=st.none() | st.floats(0, 1),
    fits_window=st.none() | st.booleans(),
    over_window_requests=_counts,
)
_sessions = st.builds(
    SessionReport,
    session_id=_names,
    project=st.none() | _names,
    first_at=st.just(NOON),
    last_at=st.integers(NOON, NOON * 2),
    messages=st.lists(_messages(), max_size=30),
    inherited=st.dictionaries(_names, st.integers(1, 10**9), max_size=30),
    tools=st.lists(_tools, max_size=60),
    jit=st.none() | _jit,
)


_NO_FIGURE = re.compile(r"\b(None|nan|NaN|inf)\b")


def _is_fit(text: str) -> None:
    assert len(text) <= LIMIT
    figures = re.sub(r"`[^`]*`", "", text)
    assert not _NO_FIGURE.search(figures)
    for table in re.findall(r"(?:^\|.*\n?)+", text, re.MULTILINE):
        assert len({line.count("|") for line in table.splitlines()}) == 1


@_quick
@given(_sessions)
def test_a_sessions_report_keeps_to_the_limit(session: SessionReport) -> None:
    _is_fit(session_answer(session, UTC, chosen="x" * 200, stale="x" * 500))


@st.composite
def _reports(draw: st.DrawFn, groupings: st.SearchStrategy[By]) -> Report:
    by = draw(groupings)
    repeated = draw(st.integers(1, 40))
    some = draw(st.lists(st.tuples(_names, _names, _sums()), min_size=1, max_size=5))
    rows = [
        ReportRow(
            label=f"{number}{name}" if by in _NAMED else "2026-11-21",
            sums=sums,
            models={},
            first_at=NOON,
            last_at=NOON,
            project=project,
        )
        for number, (name, project, sums) in enumerate(some * repeated)
    ]
    unpriced = draw(st.dictionaries(_names, st.integers(1, 10**9), max_size=20))
    return Report(
        by=by,
        period="all",
        rows=rows,
        totals=total(row.sums for row in rows),
        unpriced_models=unpriced,
    )


@_quick
@given(_reports(st.sampled_from(GROUPINGS)))
def test_a_report_keeps_to_the_limit(report: Report) -> None:
    _is_fit(report_answer(report, UTC, notes=["x" * 400] * 3, stale="x" * 500))


@_quick
@given(_reports(st.just("session")))
def test_the_sessions_keep_to_the_limit(report: Report) -> None:
    _is_fit(sessions_answer(report, UTC, notes=["x" * 400] * 3, stale="x" * 500))


@_quick
@given(st.dictionaries(_names, _sums(), max_size=40), st.sampled_from(["all", "7d", "a..b"]))
def test_the_summary_keeps_to_the_limit(models: dict[str, Sums], period: str) -> None:
    sums = total(models.values())
    summary = Summary(
        period=Period(period, None, None),
        sums=sums,
        cache=cache_figures(sums),
        models=models,
        unpriced_models=dict.fromkeys(models, 1),
    )
    _is_fit(summary_answer([summary] * 4, notes=["x" * 400] * 3, stale="x" * 500))


# What is told as it is; names of others are code.
_words = _names.filter(lambda text: not _NO_FIGURE.search(text))
_usd = st.decimals(-(10**9), 10**9, places=12)
_money = st.none() | _usd
_rates = st.none() | st.floats(0, 1)
_percents = st.none() | st.floats(-(10**9), 100)
_groups = st.builds(
    group,
    _words,
    kind=st.none() | st.sampled_from(["tool", "base", "attachment"]),
    uri=st.none() | _names,
    loads=_counts,
    tokens=_counts,
    cost_usd=_money,
    first_usd=_money,
    carry_usd=_money,
    share=_rates,
    efficiency=_percents,
    is_rest=st.booleans(),
)


def _repeated(some: list[GroupRow], times: int) -> list[GroupRow]:
    return some * times


_rows = st.builds(_repeated, st.lists(_groups, max_size=3), st.integers(1, 40))
_found = st.lists(
    st.builds(advice, title=_words, evidence=_words, action=_words, at_stake_usd=_usd), max_size=12
)


def _days(day: TrendPoint, days: int) -> list[TrendPoint]:
    return [day] * days


_points = st.builds(point, _words, messages=_counts, cost_usd=_money, hit_rate=_rates)
_trends = st.builds(
    trend,
    points=st.builds(_days, _points, st.integers(0, 90)),
    changes=st.lists(
        st.builds(change, metric=_words, reason=_words, now=_rates, before=_rates, change=_rates),
        max_size=6,
    ),
)
_reconciled = st.builds(
    reconciled, sessions=_counts, client_usd=_money, ledger_usd=_money, unexplained_usd=_money
)
_baselines = st.builds(
    against,
    saved_usd=_money,
    tokens_saved=st.none() | _savings,
    efficiency=_percents,
    error_p95=_rates,
)
_overall = st.builds(
    overall,
    messages=_counts,
    cost_usd=_money,
    partial_messages=_counts,
    partial_output_tokens=st.none() | _counts,
    baselines=st.lists(_baselines, max_size=3),
)
_candidates = st.builds(candidate, row=_groups, reason=_words, threshold=_words, at_stake_usd=_usd)
_snapshots = st.builds(
    snapshot,
    overall=_overall,
    by_category=_rows,
    cache=st.builds(cache, lapses=_counts, lapse_usd=_money, hit_rate_tokens=_rates),
    trend=st.none() | _trends,
    top_performers=_rows,
    needs_optimization=st.lists(_candidates, max_size=9),
    reconciliation=_reconciled,
)
_timelines = st.builds(
    timeline,
    session_id=_names,
    items=_rows,
    total_items=_counts,
    findings=_found,
    prompt_cost_usd=_money,
    reconciliation=_reconciled,
    problem=st.none() | _words,
)


@_quick
@given(_snapshots, _found, _rows)
def test_what_is_told_of_a_period_keeps_to_the_limit(
    whole: Snapshot, found: list[Advice], rows: list[GroupRow]
) -> None:
    _is_fit(snapshot_answer(whole, stale="x" * 500))
    _is_fit(savings_answer(whole, found, rows, stale="x" * 500))
    _is_fit(advice_answer(found, "all", stale="x" * 500))
    _is_fit(top_answer(rows, "cost", "all", stale="x" * 500))


@_quick
@given(_trends)
def test_a_trend_keeps_to_the_limit(steps: Trend) -> None:
    _is_fit(trend_answer(steps, stale="x" * 500))


@_quick
@given(_timelines)
def test_the_items_of_a_session_keep_to_the_limit(session: Timeline) -> None:
    _is_fit(items_answer(session, chosen="x" * 200, stale="x" * 500))
    _is_fit(top_items(session) or "")


@_quick
@given(_sessions, _timelines)
def test_a_session_s_report_with_its_items_keeps_to_the_limit(
    session: SessionReport, attributed: Timeline
) -> None:
    items = top_items(attributed)
    _is_fit(session_answer(session, UTC, items=items, chosen="x" * 200, stale="x" * 500))


@given(st.lists(st.integers(0, 100), max_size=50), st.integers(1, 10), st.integers(0, 300))
def test_folding_loses_nothing(rows: list[int], most: int, size: int) -> None:
    lines = fold(rows, str, lambda rest: f"{sum(rest)} rest", most=most, size=size)
    assert sum(int(line.split()[0]) for line in lines) == sum(rows)
    assert len(lines) <= most + 1


def test_a_single_row_too_many_is_shown_and_not_folded() -> None:
    assert fold([1, 2, 3], str, str, most=2, size=100) == ["1", "2", "3"]
    assert fold([1, 2, 3, 4], str, str, most=2, size=100) == ["1", "2", "[3, 4]"]


@given(st.text())
def test_a_name_is_one_code_span_of_printable_text(name: str) -> None:
    span = code(name)
    assert span[0] == span[-1] == "`"
    assert not re.search(r"[`|]", span[1:-1])
    assert span.isprintable()
    assert 3 <= len(span) <= 50


@given(st.text(), st.integers(1, 100))
def test_a_sentence_is_one_line_of_printable_text(text: str, width: int) -> None:
    line = plain(text, width)
    assert line.isprintable()
    assert "|" not in line
    assert len(line) <= width


@pytest.mark.parametrize("hidden", ["\u202e", "\u2066", "\u200b", "\u200f", "\ufeff", "\u2028"])
def test_what_shows_nothing_turns_nothing_around(hidden: str) -> None:
    assert code(f"{hidden}tool{hidden}") == "`tool`"
    assert plain(f"a{hidden}b", 10) == "a b"
    assert code(hidden) == "`(unnamed)`"
    assert group_name(group(hidden)) == "`(unnamed)`"


def test_a_name_of_spaces_is_said_to_be_none() -> None:
    assert group_name(group("  ")) == "(unnamed)"
    assert "| (unnamed) |" in groups_table([group("  ")], "Tool")


async def test_all_tools_together_take_few_tokens(client: Client) -> None:
    # What a client hands on to the model, in each request of every conversation.
    texts = [
        json.dumps(
            {
                "name": tool.name,
                "description": tool.description,
                "input_schema": tool.input_schema,
            },
            separators=(",", ":"),
        )
        for tool in (await client.list_tools()).tools
    ]
    assert sum(map(encoding_tokens, texts)) <= MOST_TOOL_TOKENS
