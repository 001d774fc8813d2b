"""What sessions were attributed, in the ledger: kept by difference, and its sums always exact."""

import re
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.events import events, items, parents, sessions
from tests.ledgers import broken_sums, dump, empty_ledger
from tests.shares import HOURS, LABELS, MIDNIGHT, quarters, session_shares
from tests.store.test_contract import event
from token_tracking.errors import UnknownSessionError
from token_tracking.reading import FileCursor, Reading
from token_tracking.shares import (
    FACT_FIELDS,
    QUARTER_MS,
    SHARE_FIELDS,
    Facts,
    ItemRecord,
    SessionShares,
    ShareLabel,
    ShareSums,
    uri_stem,
)
from token_tracking.store import Sums, TokenStore, group_reads
from token_tracking.store.group_reads import ItemMetric, ShareGrouping
from token_tracking.store.migrate import MIGRATIONS
from token_tracking.store.records import SUM_FIELDS
from token_tracking.usage import ContentItem, Place, UsageEvent

VERSION = 1
_Name = TypeVar("_Name", str, str | None, ShareLabel)
_quick = settings(
    max_examples=40,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
_ITEM_METRICS: list[ItemMetric] = ["cost", "tokens", "carried"]
_shares = st.lists(session_shares, min_size=1, max_size=4)
_bounds = st.none() | quarters.map(lambda quarter: quarter * QUARTER_MS)


async def _save(store: TokenStore, *shares: SessionShares) -> None:
    for each in shares:
        await store.save_shares([each], {}, version=VERSION)


def _reading(seen: list[UsageEvent], content: list[ContentItem]) -> Reading:
    cursor = FileCursor(
        path="/f", inode=1, modified_ns=1, size=1, offset=1, fingerprint="", chains=""
    )
    return Reading(cursor=cursor, events=seen, items=content, sessions=[], client_totals=[])


@_quick
@given(
    steps=st.lists(
        session_shares | events() | items | st.sampled_from(["reprice", "cleanup"]),
        min_size=2,
        max_size=8,
    )
)
async def test_after_any_changes_the_kept_sums_are_those_of_their_rows(
    tmp_path_factory: pytest.TempPathFactory,
    steps: list[SessionShares | UsageEvent | ContentItem | str],
) -> None:
    path = await empty_ledger(tmp_path_factory.mktemp("laws") / "l.db")
    async with TokenStore.opened(path) as store:
        await store.save_usage([*parents, *sessions])
        for step in steps:
            if isinstance(step, SessionShares):
                await _save(store, step)
            elif isinstance(step, UsageEvent):
                await store.save_usage(step)
            elif isinstance(step, ContentItem):
                await store.save_readings([_reading([], [step])])
            elif step == "reprice":
                await store.reprice()
            else:
                await store.cleanup(datetime.now(UTC) - datetime(2020, 1, 1, tzinfo=UTC))
                # Of 1970, and of 2025: `tests.events`.
    assert broken_sums(path) == []


@_quick
@given(shares=_shares, data=st.data())
async def test_what_is_saved_last_is_all_that_is_kept_of_a_session(
    tmp_path_factory: pytest.TempPathFactory, shares: list[SessionShares], data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("laws")
    async with TokenStore.opened(await empty_ledger(folder / "grown.db")) as store:
        await store.save_usage([*parents, *sessions])
        await _save(store, *shares)
    last = {each.session_id: each for each in shares}
    async with TokenStore.opened(await empty_ledger(folder / "fresh.db")) as store:
        await store.save_usage([*parents, *sessions])
        order = data.draw(st.permutations(sorted(last)))
        await store.save_shares([last[name] for name in order], {}, version=VERSION)
        for name, each in last.items():
            found = await store.session_attribution(name)
            assert found is not None
            assert (found.prompt_tokens, found.prompt_pico) == (
                each.prompt_tokens,
                each.prompt_pico,
            )
            assert (found.details, found.problem) == (each.details, each.problem)
            records = await store.item_records(name)
            assert sorted(records, key=_id) == sorted(each.items, key=_id)
            assert await store.session_findings(name) == list(each.findings)
    assert await dump(folder / "grown.db") == await dump(folder / "fresh.db")
    assert broken_sums(folder / "grown.db") == []


def _id(item: ItemRecord) -> str:
    return item.id


@_quick
@given(shares=_shares, start=_bounds, end=_bounds, project=st.sampled_from([None, "a", "b", "?"]))
async def test_the_figures_of_any_period_are_the_sums_of_its_quarters(
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    shares: list[SessionShares],
    start: int | None,
    end: int | None,
    project: str | None,
) -> None:
    projects = {"s1": "a", "s2": "b", "s3": ""}
    last = {each.session_id: each for each in shares}
    low = -(2**62) if start is None else start // QUARTER_MS
    high = 2**62 if end is None else end // QUARTER_MS
    by_label: dict[ShareLabel, ShareSums] = defaultdict(ShareSums)
    by_tool: dict[ShareLabel, ShareSums] = defaultdict(ShareSums)
    by_uri: dict[str, ShareSums] = defaultdict(ShareSums)
    by_skill: dict[str, ShareSums] = defaultdict(ShareSums)
    by_project: dict[str | None, ShareSums] = defaultdict(ShareSums)
    facts = Facts()
    for name, each in last.items():
        if project not in {None, projects[name]}:
            continue
        for (quarter, label), sums in each.sums.items():
            if low <= quarter < high:
                by_label[label] += sums
                by_tool[replace(label, uri=uri_stem(label.uri) or None)] += sums
                by_project[projects[name] or None] += sums
                if label.uri:
                    skills = label.uri.startswith("skill:")
                    (by_skill if skills else by_uri)[label.uri] += sums
        for quarter, more in each.facts.items():
            facts += more if low <= quarter < high else Facts()
    path = await empty_ledger(tmp_path_factory.mktemp("laws") / "l.db")
    async with TokenStore.opened(path) as store:
        await store.save_usage([_in(name, path) for name, path in projects.items()])
        await _save(store, *last.values())
        groupings: dict[ShareGrouping, dict[ShareLabel, ShareSums]] = {
            "label": by_label,
            "tool": by_tool,
        }
        for by, expected in groupings.items():
            rows = await store.share_sums(by, start, end, project)
            assert len({label for label, _ in rows}) == len(rows)
            assert dict(rows) == _not_empty(expected)
        whole = sum(by_label.values(), start=ShareSums())
        assert await store.share_total(start, end, project) == whole
        assert await store.facts(start, end, project) == facts
        for few in (0, 1000):
            monkeypatch.setattr(TokenStore, "few_sums", few)
            monkeypatch.setattr(group_reads, "_PAGE", 1 if few == 0 else 64)
            for metric, value in _METRICS.items():
                labels = await store.top_labels(metric, 2, start, end, project=project)
                _is_top(labels, by_label, value, 2)
                uris = await store.top_uris(metric, 1, start, end, project=project)
                _is_top(uris, by_uri, value, 1)
                if project is None:
                    found, count = await store.top_projects(metric, 2, start, end)
                    _is_top(found, by_project, value, 2)
                    assert count == len(_not_empty(by_project))
        for uri in ("/a.py", "/nowhere"):
            assert await store.uri_shares(uri, start, end, project) == by_uri[uri]
        assert await store.count_uris(start, end, project=project) == len(_not_empty(by_uri))
        skills = await store.top_uris("cost", 9, start, end, sort="skill", project=project)
        _is_top(skills, by_skill, _METRICS["cost"], 9)
        assert await store.count_uris(start, end, sort="skill", project=project) == len(skills)
        monkeypatch.setattr(TokenStore, "few_findings", 10**6)
        findings = await store.findings(start, end, project)
        monkeypatch.setattr(TokenStore, "few_findings", 0)
        many = await store.findings(start, end, project)
        sums = [replace(each, session_id="", item=None, at=0) for each in findings]
        assert [replace(each, session_id="", item=None, at=0) for each in many] == sums
        seen = [
            finding
            for name, each in last.items()
            for finding in each.findings
            if project in {None, projects[name]}
            and (start is None or start <= finding.at)
            and (end is None or finding.at < end)
        ]
    assert sum(each.pico for each in findings) == sum(finding.pico for finding in seen)
    assert sum(each.count for each in findings) == sum(finding.count for finding in seen)
    assert {(each.kind, each.subject): each.top_pico for each in findings} == {
        (each.kind, each.subject): max(
            other.pico for other in seen if (other.kind, other.subject) == (each.kind, each.subject)
        )
        for each in seen
    }


def _not_empty(sums: Mapping[_Name, ShareSums]) -> dict[_Name, ShareSums]:
    return {name: each for name, each in sums.items() if each != ShareSums()}


def _is_top(
    rows: Sequence[tuple[_Name, ShareSums]],
    expected: Mapping[_Name, ShareSums],
    value: Callable[[ShareSums], int],
    limit: int,
) -> None:
    best = sorted(map(value, _not_empty(expected).values()), reverse=True)
    assert [value(sums) for _, sums in rows] == best[:limit]
    assert all(expected[name] == sums for name, sums in rows)


_METRICS: dict[ItemMetric, Callable[[ShareSums], int]] = {
    "cost": lambda sums: sums.cost_pico,
    "tokens": lambda sums: sums.tokens,
    "carried": lambda sums: sums.prompt_tokens,
}


def _in(session: str, path: str, hour: int = 0) -> UsageEvent:
    at = MIDNIGHT + hour * 3_600_000
    place = Place(session_id=session, timestamp=at, cwd=path or None)
    return event(f"msg_{session}_{hour}", at, session, places=(place,))


@_quick
@given(
    hours=st.lists(st.sampled_from(HOURS), unique=True, max_size=6),
    bounds=st.lists(_bounds.filter(lambda bound: bound is not None), unique=True, max_size=5),
    project=st.sampled_from([None, "a", "", "?"]),
)
async def test_periods_of_messages_add_up_however_they_are_cut(
    tmp_path_factory: pytest.TempPathFactory,
    hours: list[int],
    bounds: list[int],
    project: str | None,
) -> None:
    path = await empty_ledger(tmp_path_factory.mktemp("laws") / "l.db")
    async with TokenStore.opened(path) as store:
        saved = [
            _in(session, path, hour)
            for session, path in (("s1", "a"), ("s2", "a"), ("s3", ""))
            for hour in hours
        ]
        await store.save_usage(saved)
        cuts = sorted(bounds)
        parts = await store.trend_totals(cuts, project)
        for (start, end), part in zip(pairwise(cuts), parts, strict=True):
            inside = [
                each
                for each in saved
                if start <= each.timestamp < end and project in {None, each.places[0].cwd or ""}
            ]
            count = sum((sums.messages for sums in part.values()), start=0)
            assert count == len(inside)
            assert await store.period_totals(start, end, project) == part
            assert await store.period_sessions(start, end, project) == len(
                {each.places[0].session_id for each in inside}
            )
            if project is None:
                found = await store.period_projects(start, end)
                assert sum((each.sums for each in found), start=Sums()) == sum(
                    part.values(), start=Sums()
                )
        whole = await store.period_totals(None, None, project)
        around = [(None, cuts[0]), (cuts[-1], None)] if cuts else [(None, None)]
        outer = await store.range_totals(around, project)
        total = [sums for each in [*parts, *outer] for sums in each.values()]
        assert sum(total, start=Sums()) == sum(whole.values(), start=Sums())


@_quick
@given(
    shares=_shares,
    start=_bounds,
    end=_bounds,
    limit=st.integers(1, 4),
    metric=st.sampled_from(_ITEM_METRICS),
    uri=st.sampled_from([None, None, "/a.py"]),
    session=st.sampled_from([None, None, "s1"]),
)
async def test_the_largest_items_are_found_among_those_of_all_sessions(
    tmp_path_factory: pytest.TempPathFactory,
    shares: list[SessionShares],
    start: int | None,
    end: int | None,
    limit: int,
    metric: ItemMetric,
    uri: str | None,
    session: str | None,
) -> None:
    values: dict[ItemMetric, Callable[[ItemRecord], int]] = {
        "cost": lambda item: item.cost_pico or 0,
        "tokens": lambda item: item.tokens or 0,
        "carried": lambda item: item.prompt_tokens,
    }
    value = values[metric]
    uri = None if session else uri
    last = {each.session_id: each for each in shares}
    within = [
        (name, item)
        for name, each in last.items()
        for item in each.items
        if item.entered_at is not None
        and (start is None or start <= item.entered_at)
        and (end is None or item.entered_at < end)
        and uri in {None, item.label.uri}
        and session in {None, name}
    ]
    path = await empty_ledger(tmp_path_factory.mktemp("laws") / "l.db")
    async with TokenStore.opened(path) as store:
        await store.save_usage([*parents, *sessions])
        await _save(store, *shares)
        found = await store.top_items(metric, limit, start, end, uri=uri, session=session)
    best = sorted((value(item) for _, item in within), reverse=True)[:limit]
    assert [value(each.item) for each in found] == best
    assert all((each.session_id, each.item) in within for each in found)


@pytest.mark.parametrize(
    ("uri", "stem"),
    [
        (None, ""),
        ("", ""),
        ("/src/app.py", "/"),
        ("https://example.com", "/"),
        ("skill:review", "skill:"),
        ("agent:Explore", "agent:"),
        ("content://guides/tests.md", "content://guides"),
        ("content://guides content://agents/x.md", "content://guides"),
        ("content://", "content://"),
    ],
)
def test_the_stem_of_a_path_is_what_its_category_needs(uri: str | None, stem: str) -> None:
    assert uri_stem(uri) == stem


async def test_what_is_marked_again_meanwhile_stays_due(store: TokenStore) -> None:
    await store.save_usage([event(), event("msg_2", session="s2")])
    due = await store.due_sessions(VERSION)
    assert [each.session_id for each in due] == ["s1", "s2"]
    await store.save_usage(event("msg_3"))
    since = {each.session_id: each.since for each in due}
    saved = [SessionShares(session_id=name) for name in since]
    await store.save_shares(saved, since, version=VERSION)
    assert [each.session_id for each in await store.due_sessions(VERSION)] == ["s1"]
    (again,) = await store.due_sessions(VERSION)
    await store.save_shares(saved[:1], {"s1": again.since}, version=VERSION)
    assert not await store.has_due(VERSION)


async def test_a_session_of_an_older_algorithm_is_due(store: TokenStore) -> None:
    await store.save_usage(event())
    await _settle_nothing(store)
    assert not await store.has_due(VERSION)
    assert await store.has_due(VERSION + 1)
    assert [each.session_id for each in await store.due_sessions(VERSION + 1)] == ["s1"]
    assert await store.count_due(VERSION + 1) == 1


async def test_all_can_be_marked(store: TokenStore) -> None:
    await store.save_usage([event(), event("msg_2", session="s2")])
    await _settle_nothing(store)
    await store.mark_all_due()
    assert await store.count_due(VERSION) == 2
    assert [each.session_id for each in await store.due_sessions(VERSION, 1, from_end=True)] == [
        "s2"
    ]


async def test_shares_of_an_unknown_session_are_refused(store: TokenStore) -> None:
    with pytest.raises(UnknownSessionError, match="ingest it first"):
        await _save(store, SessionShares(session_id="nobody"))


async def test_a_deleted_message_leaves_its_key_to_its_item(store: TokenStore) -> None:
    """Row numbers are given again: an item must never take the name of a later message."""
    old = event("msg_old", at=MIDNIGHT)
    await store.save_usage(old)
    item = ItemRecord(
        id="msg_old",
        label=LABELS[1],
        entered_at=MIDNIGHT,
        entered_with="msg_old",
        tokens=1,
        requests=1,
        prompt_tokens=1,
        cost_pico=1,
        no_cache_pico=1,
        first_pico=1,
        is_measured=True,
    )
    await _save(store, SessionShares(session_id="s1", items=(item,)))
    assert await store.cleanup(timedelta(hours=1)) == 1
    await store.save_usage(event("msg_new", at=int(datetime.now(UTC).timestamp() * 1000)))
    (kept,) = await store.item_records("s1")
    assert (kept.id, kept.entered_with) == ("msg_old", None)


async def _settle_nothing(store: TokenStore) -> None:
    due = await store.due_sessions(VERSION)
    await store.save_shares(
        [SessionShares(session_id=each.session_id) for each in due],
        {each.session_id: each.since for each in due},
        version=VERSION,
    )


async def test_a_move_to_another_project_takes_the_history_along(
    store: TokenStore, tmp_path: Path
) -> None:
    await store.save_usage(_in("s1", "late", hour=1))
    sums = {(MIDNIGHT // QUARTER_MS, LABELS[0]): ShareSums(1, 2, 3, 4, 5, 6, 7)}
    await _save(store, SessionShares(session_id="s1", sums=sums))
    assert len(await store.share_sums("tool", project="late")) == 1
    await store.save_usage(_in("s1", "early", hour=0))
    groupings: list[ShareGrouping] = ["tool", "label"]
    for by in groupings:
        for start in (None, MIDNIGHT - 86_400_000):
            assert await store.share_sums(by, start, project="late") == []
            ((_, kept),) = await store.share_sums(by, start, project="early")
            assert kept == ShareSums(1, 2, 3, 4, 5, 6, 7)
    assert [each.project for each in await store.period_projects()] == ["early"]
    assert broken_sums(store.location.path) == []


async def test_the_tables_have_a_column_for_each_fact_and_sum(store: TokenStore) -> None:
    columns = {
        "fact_quarters": ("session_id", "quarter", *FACT_FIELDS),
        "fact_days": ("project_id", "day", *FACT_FIELDS),
        "share_quarters": ("quarter", "session_id", "label_id", *SHARE_FIELDS),
        "total_days": ("project_id", "day", "model", *SUM_FIELDS),
    }
    with sqlite3.connect(store.location.path) as connection:
        for table, expected in columns.items():
            rows = connection.execute(f"PRAGMA table_info({table})")
            assert tuple(row[1] for row in rows) == expected
    connection.close()


_QUESTIONS = (
    "share_reads.sql",
    "group_reads.sql",
    "shares.sql",
    "rollups.sql",
    "due.sql",
    "days.sql",
)
_LARGE = (
    "item_shares",
    "share_quarters",
    "messages",
    "items",
    "label_blocks",
    "label_sums",
    "uri_blocks",
    "uri_sums",
    "totals",
    "findings",
)


def _queries(names: Iterable[str]) -> dict[str, str]:
    """The questions of these files by name."""
    files = [MIGRATIONS.parent / "queries" / name for name in names]
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    parts = re.split(r"^-- name: ([\w]+).*$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _planned(path: Path, queries: dict[str, str]) -> sqlite3.Connection:
    """An empty ledger in which each of these can be planned; those that create are run."""
    connection = sqlite3.connect(path)
    for file in sorted(MIGRATIONS.glob("*.sql")):
        connection.executescript(file.read_text(encoding="utf-8"))
    connection.execute("CREATE TEMPORARY TABLE wanted (name TEXT)")
    connection.execute("CREATE TEMPORARY TABLE wanted_ids (id INTEGER)")
    connection.execute("CREATE TEMPORARY TABLE wanted_totals (session_id, quarter)")
    for name in [name for name in queries if name.startswith("create_")]:
        connection.execute(queries.pop(name))
    return connection


def _plan(connection: sqlite3.Connection, query: str) -> list[str]:
    given = dict.fromkeys(re.findall(r":(\w+)", query), 0)
    return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}", given)]


def test_no_question_reads_a_large_table_from_end_to_end(tmp_path: Path) -> None:
    """However long the history: each has a condition that an index answers."""
    queries = _queries(_QUESTIONS)
    connection = _planned(tmp_path / "plans.db", queries)
    for name, query in queries.items():
        if name.startswith("size_"):
            continue
        scanned = [step for step in _plan(connection, query) if step.startswith("SCAN")]
        aliases = dict(re.findall(r"\b(?:FROM|JOIN) (\w+) AS (\w+)", query))
        large = [aliases[table] for table in _LARGE if table in aliases]
        assert not [step for step in scanned if step.split()[1] in large], name
    connection.close()


def test_no_question_reads_a_large_table_to_filter_it(tmp_path: Path) -> None:
    """SQLite makes a Bloom filter of a table where it thinks that it is looked up very often."""
    queries = _queries(["share_reads.sql", "group_reads.sql"])
    connection = _planned(tmp_path / "plans.db", queries)
    spans = [(0, "day", 1, 2, 1), (0, "block", 1, 2, 1), (0, "quarter", 1, 2, 1)]
    connection.executemany("INSERT INTO wanted_spans VALUES (?, ?, ?, ?, ?)", spans)
    connection.executemany("INSERT INTO wanted_ids VALUES (?)", [(1,), (2,)])
    connection.execute("ANALYZE")
    connection.executemany(
        "INSERT INTO sqlite_stat1 VALUES (?, ?, ?)",
        [
            ("label_blocks", "label_blocks", "900000 450000 8 1"),
            ("labels", "labels_by_uri", "1280000 3"),
            ("label_sums", "label_sums", "2800000 1400000 1"),
            ("sessions", "sessions_by_end", "120000 1"),
            ("share_quarters", "share_quarters", "19000000 70 50 1"),
            ("tools", "sqlite_autoindex_tools_1", "50 10 2 1 1 1"),
            ("uri_sums", "uri_sums", "800000 400000 1"),
            ("uri_blocks", "uri_blocks", "900000 450000 8 1"),
            ("tool_blocks", "tool_blocks", "90000 45000 40 1"),
            ("tool_days", "tool_days", "50000 25000 40 1"),
        ],
    )
    connection.commit()
    connection.execute("ANALYZE sqlite_schema")
    for size in ("size_wanted_spans", "size_wanted_ids"):
        connection.execute(queries.pop(size))
    for name, query in queries.items():
        assert not [step for step in _plan(connection, query) if "BLOOM" in step], name
    connection.close()
