"""Which tellings are one load: by answer, by call, by session; and what a chain holds already."""

from itertools import permutations
from pathlib import Path

import pytest

from tests.ledgers import dump
from tests.store.test_contract import NOON, event
from tests.store.test_loads import LIBRARY, LOAD, SEARCH, TEN, URI, boundary, called, load, take
from tests.transcripts import FORK, SESSION, answer, asked, forked, tool_result, tool_use, write
from token_tracking.loads import Load
from token_tracking.store import TokenStore
from token_tracking.store.load_calls import Call, Recorded, join_calls

OTHER = "content://guides/limits"


async def test_parallel_calls_of_one_moment_stay_apart_by_their_answers(
    store: TokenStore, claude: Path
) -> None:
    for uri, given in ((URI, "r1"), (OTHER, "r2")):
        await store.save_loads([load(TEN + 500, SESSION, uri=uri, answer=given)], LIBRARY)
    calls = [tool_use("toolu_1", LOAD, uris=[URI]), tool_use("toolu_2", LOAD, uris=[OTHER])]
    await take(store, claude, called(*calls))
    found = await store.session_loads(SESSION)
    assert [(each.uri, each.tool_use_id, each.origin) for each in found] == [
        (URI, "toolu_1", "both"),
        (OTHER, "toolu_2", "both"),
    ]


async def test_two_searches_of_one_moment_are_two(store: TokenStore, claude: Path) -> None:
    for given in ("r1", "r2", "r1"):
        shown = load(
            TEN + 5, SESSION, uri="content://", kind="search", tokens=0, overhead_tokens=9,
            answer=given,
        )  # fmt: skip
        await store.save_loads([shown], LIBRARY)
    calls = [tool_use(f"toolu_{n}", SEARCH, query="q") for n in (1, 2)]
    await take(store, claude, called(*calls))
    assert [each.origin for each in await store.session_loads(SESSION)] == ["both", "both"]


@pytest.mark.parametrize(
    "tellings",
    [
        [
            load(answer="r1"),
            load(NOON + 9, answer="r1", tool_use_id="toolu_1", tokens=7),
            load(answer="r1", tool_use_id="toolu_1"),
        ],
        [
            load(tool_use_id="toolu_1"),
            load(NOON + 9, "s2", tool_use_id="toolu_1", tokens=9),
            load(tool_use_id="toolu_1", tokens=8),
        ],
        [load(), load(tool_use_id="x"), load(tool_use_id="y")],
    ],
    ids=["answer", "call", "two calls and one of them without its id"],
)
async def test_the_order_of_tellings_does_not_matter(tellings: list[Load], tmp_path: Path) -> None:
    seen: set[str] = set()
    for number, order in enumerate(permutations(tellings)):
        async with TokenStore.opened(tmp_path / f"{number}.db") as store:
            for each in order:
                await store.save_loads([each], LIBRARY)
        rows = (await dump(tmp_path / f"{number}.db")).splitlines()
        loads = [row for row in rows if row.startswith("loads")]
        assert len(loads) == (2 if tellings[0] == load() else 1)
        seen.add("".join(loads).replace("'y'", "'x'") if tellings[0] == load() else "".join(loads))
    assert len(seen) == 1


async def test_a_load_that_is_known_is_not_written_again(store: TokenStore) -> None:
    told = load(answer="r1", tool_use_id="toolu_1")
    await store.save_loads([told], LIBRARY)
    before = store._db.total_changes  # pyright: ignore[reportPrivateUsage]
    await store.save_loads([told])
    assert store._db.total_changes == before  # pyright: ignore[reportPrivateUsage]


async def test_an_id_that_gateways_reuse_is_a_call_of_its_own_session(
    store: TokenStore, claude: Path
) -> None:
    await store.save_loads([load(TEN + 86_400_000, "s2", tool_use_id="call_1")], LIBRARY)
    await store.save_loads([load(TEN + 900, SESSION, tool_use_id="call_1")], LIBRARY)
    await take(store, claude, called(tool_use("call_1", "ReadMcpResourceTool", uri=URI)))
    (apart,) = await store.session_loads("s2")
    (found,) = await store.session_loads(SESSION)
    assert (apart.origin, found.origin, found.at) == ("server", "both", TEN + 900)
    assert await store.session_of_call("call_1") is None
    await store.save_loads([load(TEN + 900, "s3", uri=OTHER, tool_use_id="call_1")], LIBRARY)
    assert len(await store.session_loads("s3")) == 1


async def test_a_call_of_another_session_that_reuses_its_id_is_no_load(
    store: TokenStore, claude: Path
) -> None:
    await store.save_loads([load(TEN, "s2", tool_use_id="call_1")], LIBRARY)
    await take(store, claude, called(tool_use("call_1", "Bash", command="ls")))
    assert await store.session_loads(SESSION) == []


async def test_a_call_that_failed_brought_no_content(store: TokenStore, claude: Path) -> None:
    lines = called(tool_use("toolu_1", LOAD, uris=["content://guides/none"]))
    failed = {**tool_result("toolu_1", "x" * 400), "is_error": True}
    lines.append(asked([failed], uuid="u2", parent="a1", second=12))
    await take(store, claude, lines)
    (found,) = await store.session_loads(SESSION)
    assert (found.kind, found.tokens, found.overhead_tokens) == ("notice", 0, 100)


async def test_what_metadata_names_counts_once_while_its_chain_holds_it(
    store: TokenStore,
) -> None:
    await store.save_loads([load(NOON, tool_use_id="toolu_1")], LIBRARY)
    await store.save_usage(
        [
            event("msg_1", NOON + 1, metadata=f'{{"resource_uri":"{URI}"}}'),
            event("msg_2", NOON + 2, metadata=f'{{"resource_uri":"{URI}","resource_count":3}}'),
            event("msg_3", NOON + 3, metadata=f'{{"resource_uri":"{OTHER}"}}'),
            event("msg_4", NOON + 4, metadata=f'{{"resource_uri":"{URI}"}}', agent_id="a1"),
            event("msg_0", NOON - 1, metadata=f'{{"resource_uri":"{URI}"}}'),
        ]
    )
    found = await store.session_loads("s1")
    assert [(each.message, each.documents, each.tokens) for each in found] == [
        ("msg_0", 1, None),
        (None, 1, 1200),
        ("msg_2", 2, 1500),
        ("msg_3", 1, 750),
        ("msg_4", 1, 750),
    ]


async def test_what_metadata_names_after_a_compaction_counts_again(
    store: TokenStore, claude: Path
) -> None:
    await store.save_loads([load(TEN + 900, SESSION, tool_use_id="toolu_1")], LIBRARY)
    lines = called(tool_use("toolu_1", LOAD, uris=[URI]), results={"toolu_1": "x"})
    await take(store, claude, [*lines, boundary(30)])
    for second in (29, 31):
        told = f'{{"resource_uri":"{URI}"}}'
        given = event(f"msg_{second}", NOON + second * 1000, session=SESSION, metadata=told)
        await store.save_usage(given)
    found = await store.session_loads(SESSION)
    assert [each.message for each in found] == ["msg_a", "msg_31"]


async def test_a_fork_does_not_inherit_what_its_parent_loaded_later(
    store: TokenStore, claude: Path
) -> None:
    lines = called(tool_use("toolu_1", LOAD, uris=[URI]), results={"toolu_1": "x" * 400})
    own = answer("msg_own", uuid="o", parent="u2", second=90, sessionId=FORK)
    later = answer("msg_b", uuid="b", parent="u2", second=80, content=[tool_use("toolu_2", LOAD)])
    write(claude, [*lines, later])
    await take(store, claude, [*forked(lines), own], FORK)
    assert [each.tool_use_id for each in await store.session_loads(FORK)] == ["toolu_1"]
    assert len(await store.session_loads(SESSION)) == 2


@pytest.mark.parametrize(("second", "left"), [(9, None), (10, None), (11, NOON + 11_000)])
async def test_a_compaction_removes_what_entered_before_it(
    store: TokenStore, claude: Path, second: int, left: int | None
) -> None:
    """The call's message is of second 10, and its answer enters after it."""
    await take(store, claude, [*called(tool_use("toolu_1", LOAD, uris=[URI])), boundary(second)])
    (found,) = await store.session_loads(SESSION)
    assert found.left_at == left


async def test_a_compaction_at_the_moment_of_a_load_removes_it(store: TokenStore) -> None:
    from token_tracking.store.compactions import Compaction, leave

    await store.save_loads([load(NOON, tool_use_id="t1")], LIBRARY)
    found = await store.session_loads("s1")
    times = [NOON - 1, NOON, NOON + 1]
    lefts = [leave(found, [Compaction(at, "", None)])[0].left_at for at in times]
    assert lefts == [None, NOON, NOON + 1]


def test_a_session_of_many_calls_without_ids_is_joined_call_by_call() -> None:
    """Twelve hundred within ten minutes: each with each would be a million and a half pairs."""
    recorded = [
        Recorded(None, n * 400 + 5, "load", f"content://g/{n % 7}", "g", 1, 0, "m", f"r{n}", None)
        for n in range(1200)
    ]
    calls = [
        Call(f"t{n}", "load_content", f"content://g/{n % 7}", 4, False, "msg", n * 400, "")
        for n in range(1200)
    ]
    found = join_calls("s", recorded, calls)
    assert {(each.tool_use_id, each.at) for each in found} == {
        (f"t{n}", n * 400 + 5) for n in range(1200)
    }


def test_parallel_calls_of_one_moment_are_joined_one_by_one() -> None:
    calls = [Call(f"t{n}", "load_content", URI, 4, False, "msg", 0, "") for n in range(300)]
    recorded = [Recorded(None, n, "load", URI, "g", 1, 0, "m", f"r{n}", None) for n in range(300)]
    found = join_calls("s", recorded, calls)
    assert {each.origin for each in found} == {"both"}
    assert len({each.tool_use_id for each in found}) == 300
