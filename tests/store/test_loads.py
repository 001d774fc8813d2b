"""Just-in-time content in the ledger: each load once, whoever tells of it."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.ledgers import dump
from tests.store.test_contract import NOON, event
from tests.transcripts import FORK, SESSION, answer, asked, at, forked, tool_result, tool_use, write
from token_tracking.errors import InvalidUsageError
from token_tracking.ingest import ingest_claude_code
from token_tracking.store import LibrarySize, Load, TokenStore

URI = "content://guides/caching"
LIBRARY = LibrarySize(
    fingerprint="f1", documents=40, tokens=30_000, overhead_tokens=800, method="o200k_base"
)
TEN = NOON + 10_000
"""The time of the first message that `answer` writes."""
LOAD = "mcp__token-tracking__load_content"
SEARCH = "mcp__token-tracking__search_content"


def load(at_ms: int = NOON, session: str = "s1", uri: str = URI, **fields: Any) -> Load:
    """A load of 1,200 tokens."""
    given: dict[str, Any] = {"category": "guides", "tokens": 1200, "overhead_tokens": 60, **fields}
    return Load(session_id=session, at=at_ms, uri=uri, **given)


def called(
    *calls: dict[str, Any], results: dict[str, str] | None = None, **line: Any
) -> list[dict[str, Any]]:
    """An answer that makes these calls, and what they brought."""
    lines = [asked(uuid="u1"), answer("msg_a", uuid="a1", parent="u1", content=[*calls], **line)]
    brought = [tool_result(key, text) for key, text in (results or {}).items()]
    if brought:
        given = {name: line[name] for name in ("agentId", "isSidechain") if name in line}
        lines.append(asked(brought, uuid="u2", parent="a1", second=12, **given))
    return lines


def boundary(second: int, **line: Any) -> dict[str, Any]:
    """The line of a compaction."""
    return {
        "type": "system",
        "subtype": "compact_boundary",
        "uuid": f"c{second}",
        "sessionId": SESSION,
        "timestamp": at(second),
        "compactMetadata": {"trigger": "auto"},
        **line,
    }


async def take(store: TokenStore, claude: Path, lines: list[Any], name: str = SESSION) -> None:
    write(claude, lines, name)
    await ingest_claude_code(store, [claude])


async def test_a_load_is_there_with_the_library_that_it_came_from(store: TokenStore) -> None:
    await store.save_loads([load(tool_use_id="toolu_1")], LIBRARY)
    (found,) = await store.session_loads("s1")
    assert (found.session_id, found.at, found.kind, found.uri) == ("s1", NOON, "load", URI)
    assert (found.category, found.tokens, found.overhead_tokens) == ("guides", 1200, 60)
    assert (found.method, found.tool_use_id, found.origin) == ("o200k_base", "toolu_1", "server")
    assert (found.library, found.left_at, found.chain) == (LIBRARY, None, "")


async def test_who_loaded_nothing_has_no_loads(store: TokenStore) -> None:
    assert await store.session_loads("nobody") == []
    assert await store.compacted_at("nobody") is None
    await store.save_usage(event())
    assert await store.session_loads("s1") == []


@pytest.mark.parametrize(
    ("first", "second", "rows"),
    [
        (load(), load(), 1),
        (load(), load(tokens=99), 1),
        (load(), load(NOON + 1), 2),
        (load(), load(uri="content://guides/limits"), 2),
        (load(), load(session="s2"), 2),
        (load(tool_use_id="toolu_1"), load(NOON + 9, "s2", tool_use_id="toolu_1"), 1),
        (load(tool_use_id="call_1"), load(NOON + 9, tool_use_id="call_1"), 1),
        (load(tool_use_id="call_1"), load(NOON + 9, "s2", tool_use_id="call_1"), 2),
        (load(answer="r1"), load(answer="r1"), 1),
        (load(answer="r1"), load(answer="r1", tool_use_id="toolu_1"), 1),
        (load(answer="r1"), load(answer="r1", uri="content://guides/limits"), 2),
        (load(answer="r1"), load(answer="r2"), 2),
        (load(answer="r1"), load(), 1),
        (load(tool_use_id="t1"), load(tool_use_id="t2"), 2),
        (load(tool_use_id="t1"), load(uri="content://guides/limits", tool_use_id="t1"), 2),
        (load(), load(tool_use_id="t1"), 1),
        (load(tool_use_id="t1"), load(), 1),
    ],
)
async def test_a_load_counts_once(store: TokenStore, first: Load, second: Load, rows: int) -> None:
    for each in (first, second, first):
        await store.save_loads([each], LIBRARY)
    found = [*await store.session_loads("s1"), *await store.session_loads("s2")]
    assert len(found) == rows
    calls = {load.tool_use_id for load in found}
    assert first.tool_use_id in calls or second.tool_use_id in calls


async def test_connections_that_save_at_once_give_the_ledger_of_one(tmp_path: Path) -> None:
    loads = [load(NOON + n, tool_use_id=f"t{n}" if n % 2 else None) for n in range(8)]
    async with TokenStore.opened(tmp_path / "one.db") as store:
        await store.save_loads(loads, LIBRARY)
    async with (
        TokenStore.opened(tmp_path / "many.db") as one,
        TokenStore.opened(tmp_path / "many.db") as other,
    ):
        await asyncio.gather(
            one.save_loads(loads[:6], LIBRARY), other.save_loads(loads[::-1], LIBRARY)
        )
    assert await dump(tmp_path / "many.db") == await dump(tmp_path / "one.db")


async def test_a_library_is_kept_once_with_the_time_when_it_was_first_so(store: TokenStore) -> None:
    for moment in (NOON + 5, NOON, NOON + 9):
        await store.save_loads([load(moment)], LIBRARY)
    larger = LibrarySize(
        fingerprint="f2", documents=41, tokens=31_000, overhead_tokens=800, method="o200k_base"
    )
    await store.save_loads([load(NOON + 20)], larger)
    found = [row async for row in store._sql.libraries(store._db)]  # pyright: ignore[reportPrivateUsage]
    assert [row[0] for row in found] == [NOON, NOON + 20]
    assert [each.library for each in await store.session_loads("s1")] == [LIBRARY] * 3 + [larger]


SECOND = LibrarySize(
    fingerprint="f2", documents=1, tokens=1, overhead_tokens=1, method="o200k_base"
)


async def test_a_load_without_a_library_has_the_last_one_of_its_session_before_it(
    store: TokenStore,
) -> None:
    for moment, library in ((NOON, LIBRARY), (NOON + 10, SECOND), (NOON + 20, LIBRARY)):
        await store.save_loads([load(moment)], library)
    for moment in (NOON - 5, NOON + 5, NOON + 15, NOON + 50):
        await store.save_loads([load(moment)])
    found = {each.at - NOON: each.library for each in await store.session_loads("s1")}
    assert [found[at] for at in (-5, 5, 15, 50)] == [None, LIBRARY, SECOND, LIBRARY]


async def test_another_sessions_library_is_not_this_ones(store: TokenStore, claude: Path) -> None:
    """A server of another name, or none that records, answered the call."""
    await store.save_loads([load(NOON, "other")], LIBRARY)
    await take(store, claude, called(tool_use("toolu_1", LOAD), results={"toolu_1": "x" * 400}))
    (found,) = await store.session_loads(SESSION)
    assert (found.origin, found.tokens, found.library) == ("transcript", 100, None)


@pytest.mark.parametrize("documents", [1, 3])
async def test_what_metadata_tells_of_has_the_library_last_seen_before_it(
    store: TokenStore, documents: int
) -> None:
    for moment, library in ((NOON, LIBRARY), (NOON + 10, SECOND), (NOON + 20, LIBRARY)):
        await store.save_loads([load(moment, "other")], library)
    told = f'{{"resource_count":{documents}}}'
    for at_ms in (-5, 5, 10, 15, 50):
        given = event(f"msg_{at_ms}", NOON + at_ms, metadata=told)
        await store.save_usage(given)
    found = await store.session_loads("s1")
    libraries = [None, LIBRARY, SECOND, SECOND, LIBRARY]
    assert [each.library for each in found] == libraries
    means = [None, 750, 1, 1, 750]
    assert [each.tokens for each in found] == [mean and mean * documents for mean in means]


async def test_loads_go_with_what_is_older_than_the_retention(store: TokenStore) -> None:
    now = int(datetime.now(UTC).timestamp() * 1000)
    await store.save_loads([load(NOON)], LIBRARY)
    await store.save_usage(event(at=now, metadata='{"resource_count":1}'))
    await store.cleanup(timedelta(days=30))
    (kept,) = await store.session_loads("s1")
    assert (kept.at, kept.library) == (now, LIBRARY)
    await store.save_loads([load(NOON)], LIBRARY)
    assert len(await store.session_loads("s1")) == 1


@pytest.mark.parametrize(
    "bad",
    [
        {"tokens": -1},
        {"tokens": True},
        {"tokens": 1.5},
        {"tokens": None},
        {"tokens": 10**9},
        {"overhead_tokens": -1},
        {"at_ms": -1},
        {"at_ms": 10**15},
        {"uri": ""},
        {"uri": 7},
        {"uri": "content://" + "x" * 10_000},
        {"uri": "content://a\x00b"},
        {"uri": "content://\ud800"},
        {"session": None},
        {"category": None},
        {"method": 3},
        {"tool_use_id": 7},
        {"kind": "resource"},
    ],
)
def test_a_load_that_is_none_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(InvalidUsageError):
        load(**bad)


@pytest.mark.parametrize(
    "bad", [{"documents": -1}, {"tokens": True}, {"overhead_tokens": 10**9}, {"fingerprint": None}]
)
def test_a_library_that_is_none_is_refused(bad: dict[str, Any]) -> None:
    fields = {name: getattr(LIBRARY, name) for name in LIBRARY.__struct_fields__}
    with pytest.raises(InvalidUsageError):
        LibrarySize(**{**fields, **bad})


def test_the_mean_of_an_empty_library_is_unknown() -> None:
    empty = LibrarySize(fingerprint="", documents=0, tokens=0, overhead_tokens=0, method="")
    assert (empty.mean_tokens, LIBRARY.mean_tokens) == (None, 750)


async def test_a_call_that_both_tell_of_is_one_load(store: TokenStore, claude: Path) -> None:
    await store.save_loads([load(TEN + 900, SESSION, tool_use_id="toolu_1")], LIBRARY)
    call = tool_use("toolu_1", LOAD, uris=[URI])
    await take(store, claude, called(call, results={"toolu_1": "x" * 5000}))
    (found,) = await store.session_loads(SESSION)
    assert (found.origin, found.tokens, found.message) == ("both", 1200, "msg_a")
    assert (found.at, found.entered_at) == (TEN + 900, TEN + 1)


async def test_the_transcript_knows_the_session_better_than_the_server(
    store: TokenStore, claude: Path
) -> None:
    """After /clear the server goes on with the id that it was started with."""
    await store.save_loads([load(TEN + 900, "stale", tool_use_id="toolu_1")], LIBRARY)
    await take(store, claude, called(tool_use("toolu_1", LOAD, uris=[URI])))
    assert await store.session_loads("stale") == []
    (found,) = await store.session_loads(SESSION)
    assert (found.session_id, found.origin) == (SESSION, "both")


async def test_a_recorded_call_is_found_by_its_id_whatever_the_tool_is_called(
    store: TokenStore, claude: Path
) -> None:
    await store.save_loads([load(TEN, "stale", tool_use_id="toolu_1")], LIBRARY)
    await take(store, claude, called(tool_use("toolu_1", "ReadMcpResourceTool", uri=URI)))
    (found,) = await store.session_loads(SESSION)
    assert found.origin == "both"


async def test_without_an_id_the_nearest_call_of_the_tool_is_the_same(
    store: TokenStore, claude: Path
) -> None:
    await store.save_loads([load(TEN + 900, SESSION)], LIBRARY)
    search = load(TEN + 800, SESSION, uri="content://", tokens=0, kind="search")
    await store.save_loads([search], LIBRARY)
    calls = [tool_use("toolu_2", SEARCH, query="q"), tool_use("toolu_1", LOAD, uris=[URI])]
    await take(store, claude, called(*calls))
    found = await store.session_loads(SESSION)
    assert [(each.kind, each.origin, each.tool_use_id) for each in found] == [
        ("search", "both", "toolu_2"),
        ("load", "both", "toolu_1"),
    ]


async def test_two_calls_at_one_moment_stay_two(store: TokenStore, claude: Path) -> None:
    """One was recorded, the other is known from the transcript alone."""
    await store.save_loads([load(TEN + 900, SESSION)], LIBRARY)
    calls = [tool_use(f"toolu_{n}", LOAD, uris=[URI]) for n in (1, 2)]
    await take(store, claude, called(*calls, results={"toolu_1": "x" * 400, "toolu_2": "x" * 400}))
    found = await store.session_loads(SESSION)
    assert sorted((each.origin, each.tokens) for each in found) == [
        ("both", 1200),
        ("transcript", 100),
    ]


async def test_of_two_calls_the_one_that_names_the_document_is_the_same(
    store: TokenStore, claude: Path
) -> None:
    other = "content://guides/limits#per-minute"
    await store.save_loads([load(TEN + 900, SESSION, uri=other)], LIBRARY)
    calls = [tool_use("toolu_1", LOAD, uris=[URI]), tool_use("toolu_2", LOAD, uris=[other])]
    await take(store, claude, called(*calls))
    found = {each.tool_use_id: each.origin for each in await store.session_loads(SESSION)}
    assert found == {"toolu_1": "transcript", "toolu_2": "both"}


async def test_a_call_that_brought_nothing_new_is_overhead(store: TokenStore, claude: Path) -> None:
    """A server answers that the session holds the document already."""
    held = load(TEN + 900, SESSION, tokens=0, overhead_tokens=20, kind="notice")
    index = load(TEN + 800, SESSION, uri="content://", tokens=0, overhead_tokens=99, kind="search")
    await store.save_loads([held, index], LIBRARY)
    calls = [tool_use("toolu_1", LOAD, uris=[URI]), tool_use("toolu_2", SEARCH, query="q")]
    await take(store, claude, called(*calls, results={"toolu_1": "x" * 80, "toolu_2": "y" * 400}))
    found = {each.tool_use_id: each for each in await store.session_loads(SESSION)}
    assert {key: each.overhead_tokens for key, each in found.items()} == {
        "toolu_1": 20,
        "toolu_2": 99,
    }
    assert {each.origin for each in found.values()} == {"both"}


async def test_a_call_of_another_hour_is_another_load(store: TokenStore, claude: Path) -> None:
    await store.save_loads([load(TEN + 3_600_000, SESSION)], LIBRARY)
    await take(store, claude, called(tool_use("toolu_1", LOAD, uris=[URI])))
    assert [each.origin for each in await store.session_loads(SESSION)] == ["transcript", "server"]


async def test_what_only_a_transcript_shows_is_estimated_from_its_size(
    store: TokenStore, claude: Path
) -> None:
    calls = [
        tool_use("toolu_1", LOAD, uris=[f"{URI}#break-even", "content://agents/a b?q=secret"]),
        tool_use("toolu_2", SEARCH, query="what pays"),
        tool_use("toolu_3", LOAD, uris="content://guides/limits"),
        tool_use("toolu_4", "load_content", uris=[URI]),
    ]
    results = {"toolu_1": "x" * 4001, "toolu_2": "x" * 400}
    await take(store, claude, called(*calls, results=results))
    loads, search, pending = await store.session_loads(SESSION)
    assert (loads.uri, loads.documents) == (f"{URI}#break-even content://agents/a%20b", 2)
    assert (loads.tokens, loads.method, loads.category) == (1001, "bytes / 4", None)
    assert (search.kind, search.tokens, search.overhead_tokens) == ("search", 0, 100)
    assert (pending.uri, pending.tokens) == ("content://guides/limits", None)


async def test_no_text_of_a_call_is_kept(store: TokenStore, claude: Path) -> None:
    secret = "sk-very-secret"
    uris = [f"https://x.example/a?key={secret}#{secret}", {"a": secret}, f"content://a\n{secret}"]
    calls = [tool_use("toolu_1", LOAD, uris=uris), tool_use("toolu_2", SEARCH, query=secret)]
    await take(store, claude, called(*calls))
    assert secret not in await dump(store.location.path)
    found = await store.session_loads(SESSION)
    assert [each.uri for each in found] == ["https://x.example/a", ""]


async def test_a_load_stands_in_the_chain_of_its_agent(store: TokenStore, claude: Path) -> None:
    call = tool_use("toolu_1", LOAD, uris=[URI])
    await take(store, claude, called(call, agentId="a1", isSidechain=True))
    (found,) = await store.session_loads(SESSION)
    assert found.chain == "a1"


async def test_a_fork_inherits_what_was_loaded_before_it(store: TokenStore, claude: Path) -> None:
    lines = called(tool_use("toolu_1", LOAD, uris=[URI]), results={"toolu_1": "x" * 400})
    write(claude, lines)
    own = answer("msg_own", uuid="o", parent="u2", second=90, sessionId=FORK)
    await take(store, claude, [*forked(lines), own], FORK)
    await store.save_loads([load(TEN + 900, FORK, tool_use_id="toolu_1")], LIBRARY)
    (parents,) = await store.session_loads(SESSION)
    (inherited,) = await store.session_loads(FORK)
    assert (parents.is_inherited, inherited.is_inherited) == (False, True)
    assert (parents.tokens, inherited.session_id) == (1200, SESSION)


async def test_a_compaction_removes_what_was_loaded_before_it(
    store: TokenStore, claude: Path
) -> None:
    lines = called(tool_use("toolu_1", LOAD, uris=[URI]), results={"toolu_1": "x" * 400})
    assert await store.compacted_at(SESSION) is None
    later = answer("msg_b", uuid="b", parent="c30", second=40, content=[tool_use("toolu_2", LOAD)])
    await take(store, claude, [*lines, boundary(30), later])
    removed, held = await store.session_loads(SESSION)
    assert (removed.left_at, held.left_at) == (NOON + 30_000, None)
    assert await store.compacted_at(SESSION) == NOON + 30_000


async def test_a_fork_that_is_compacted_leaves_its_parent_alone(
    store: TokenStore, claude: Path
) -> None:
    lines = called(tool_use("toolu_1", LOAD, uris=[URI]), results={"toolu_1": "x" * 400})
    write(claude, lines)
    own = answer("msg_own", uuid="o", parent="c80", second=90, sessionId=FORK)
    compacted = boundary(80, sessionId=FORK, logicalParentUuid="u2")
    await take(store, claude, [*forked(lines), compacted, own], FORK)
    (parents,) = await store.session_loads(SESSION)
    (inherited,) = await store.session_loads(FORK)
    assert (parents.left_at, inherited.left_at) == (None, NOON + 80_000)
    assert await store.compacted_at(SESSION) is None
    assert await store.compacted_at(FORK) == NOON + 80_000


async def test_an_agents_compaction_leaves_the_main_chain_alone(
    store: TokenStore, claude: Path
) -> None:
    lines = called(tool_use("toolu_1", LOAD, uris=[URI]))
    await take(store, claude, [*lines, boundary(30, agentId="a1", isSidechain=True)])
    (found,) = await store.session_loads(SESSION)
    assert found.left_at is None
    assert await store.compacted_at(SESSION) is None


async def test_a_result_that_is_cleared_alone_leaves_the_others(
    store: TokenStore, claude: Path
) -> None:
    calls = [tool_use(f"toolu_{n}", LOAD, uris=[URI]) for n in (1, 2)]
    cleared = boundary(
        30,
        subtype="microcompact_boundary",
        microcompactMetadata={"trigger": "auto", "compactedToolIds": ["toolu_1"]},
    )
    await take(store, claude, [*called(*calls), cleared])
    found = {each.tool_use_id: each.left_at for each in await store.session_loads(SESSION)}
    assert found == {"toolu_1": NOON + 30_000, "toolu_2": None}
    assert await store.compacted_at(SESSION) is None


async def test_a_compaction_that_an_earlier_version_kept_is_that_of_the_message_before(
    store: TokenStore, claude: Path
) -> None:
    """Without a time and a session of its own."""
    lines = called(tool_use("toolu_1", LOAD, uris=[URI]), results={"toolu_1": "x" * 400})
    middle = answer("msg_b", uuid="b", parent="u2", second=20)
    await take(store, claude, [*lines, middle, boundary(30, logicalParentUuid="b")])
    connection = store._db  # pyright: ignore[reportPrivateUsage]
    await connection.execute("UPDATE items SET detail = '{}' WHERE kind = 'compact'")
    await connection.execute("DELETE FROM openings WHERE item_key = 'c30'")
    (found,) = await store.session_loads(SESSION)
    assert found.left_at == NOON + 20_001
    await connection.execute("UPDATE items SET after_id = NULL, detail = 'x' WHERE key = 'c30'")
    assert await store.compacted_at(SESSION) is None


async def test_metadata_of_a_message_tells_of_loads(store: TokenStore) -> None:
    told = '{"resource_count":3,"resource_uri":"content://guides/caching"}'
    await store.save_usage(event(metadata=told, category="guides"))
    (unknown,) = await store.session_loads("s1")
    assert (unknown.tokens, unknown.library) == (None, None)
    await store.save_loads([load(NOON, "s9")], LIBRARY)
    await store.save_usage(event(metadata=told, category="guides"))
    (found,) = await store.session_loads("s1")
    assert (found.uri, found.category, found.documents) == (URI, "guides", 3)
    assert (found.tokens, found.method, found.origin) == (2250, "mean of the library", "metadata")
    assert found.entered_at == NOON


@pytest.mark.parametrize(
    "told",
    [
        "{}",
        "[1]",
        "no JSON",
        '{"resource_count":0}',
        '{"resource_count":1e99}',
        '{"resource_uri":7}',
        '{"resource_count":10001}',
        '{"resource_count":true}',
        '{"other":1}',
    ],
)
async def test_other_metadata_tells_of_none(store: TokenStore, told: str) -> None:
    await store.save_usage(event(metadata=told))
    assert await store.session_loads("s1") == []
