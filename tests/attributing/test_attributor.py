"""What is due is settled once, exactly, whoever does it and in whatever order."""

import asyncio
import json
import shutil
import sqlite3
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.ledgers import broken_sums, dump
from tests.transcripts import FORK, SESSION, answer, asked, at, forked, tool_result, tool_use, write
from token_tracking.attributing.attributor import Attributor
from token_tracking.efficiency.attribution import NotAttributableError
from token_tracking.ingest import ingest_claude_code
from token_tracking.shares import Facts, ShareLabel
from token_tracking.store import TokenStore

_OTHER = "33333333-3333-4333-8333-333333333333"


def _billed(fresh: int, read: int = 0, write_5m: int = 0, output: int = 10) -> dict[str, Any]:
    return {
        "input_tokens": fresh,
        "cache_read_input_tokens": read,
        "cache_creation_input_tokens": write_5m,
        "output_tokens": output,
    }


def _lines(session: str = SESSION, first: str = "msg_a") -> list[dict[str, Any]]:
    """Two requests with a call between: a prompt of 1,000 tokens, then one of 1,510."""
    call, end = f"toolu_{first}", f"{first}2"
    return [
        asked(uuid=f"u1{first}", sessionId=session),
        answer(
            first,
            uuid=f"a1{first}",
            parent=f"u1{first}",
            second=10,
            content=[tool_use(call, "Read", file_path="/a.py")],
            billed=_billed(0, 0, 1000),
            stop="tool_use",
            sessionId=session,
        ),
        asked(
            [tool_result(call, "x" * 2000)],
            uuid=f"u2{first}",
            parent=f"a1{first}",
            second=11,
            sessionId=session,
        ),
        answer(
            end,
            uuid=f"a2{first}",
            parent=f"u2{first}",
            second=20,
            billed=_billed(0, 1000, 510),
            sessionId=session,
        ),
    ]


async def _ingested(store: TokenStore, claude: Path, *names: str) -> None:
    for name in names or (SESSION, _OTHER):
        write(claude, _lines(name, "msg_a" if name == SESSION else "msg_z"), name)
    await ingest_claude_code(store, [claude])


async def test_what_is_settled_adds_up_to_the_ledger(store: TokenStore, tmp_path: Path) -> None:
    await _ingested(store, tmp_path)
    settled = await Attributor(store).settle()
    assert (settled.sessions, settled.messages, settled.problems) == (2, 4, {})
    for name in (SESSION, _OTHER):
        found = await store.session_attribution(name)
        items = await store.item_records(name)
        assert found is not None
        assert found.prompt_tokens == 1000 + 1510
        assert sum(item.prompt_tokens for item in items) == 1000 + 1510
        # Of Opus 4.6: writes at 6.25 and reads at 0.50 USD a million.
        assert found.prompt_pico == 1510 * 6_250_000 + 1000 * 500_000
        assert sum(item.cost_pico or 0 for item in items) == found.prompt_pico
    rows = await store.share_sums("label")
    assert sum(sums.prompt_tokens for _, sums in rows) == 2 * 2510
    assert ShareLabel("tool", "Read", None, "/a.py") in {label for label, _ in rows}
    facts = await store.facts()
    assert (facts.requests, facts.hit_requests, facts.partial_messages) == (4, 2, 0)
    assert broken_sums(store.location.path) == []


async def test_nothing_due_costs_no_transaction(store: TokenStore, tmp_path: Path) -> None:
    await _ingested(store, tmp_path)
    await Attributor(store).settle()
    before = await store.data_version()
    assert await Attributor(store).settle() == type(await Attributor(store).settle())()
    assert await store.data_version() == before


async def test_a_session_that_grew_is_settled_as_if_it_had_been_whole(tmp_path: Path) -> None:
    claude = tmp_path / "claude"
    lines = _lines()
    for name, cuts in (("parts.db", (2, 3, 4)), ("whole.db", (4,))):
        async with TokenStore.opened(tmp_path / name) as store:
            for cut in cuts:
                write(claude, lines[:cut])
                await ingest_claude_code(store, [claude])
                await Attributor(store).settle()
        assert broken_sums(tmp_path / name) == []
        write(claude, [])
    parts, whole = await dump(tmp_path / "parts.db"), await dump(tmp_path / "whole.db")
    assert parts == whole


async def test_one_at_a_time_or_from_the_end_gives_the_same(tmp_path: Path) -> None:
    dumps: set[str] = set()
    for number in range(3):
        path = tmp_path / f"{number}.db"
        async with TokenStore.opened(path) as store:
            await _ingested(store, tmp_path / "claude")
            told: list[tuple[int, int]] = []

            def tell(done: int, due: int, told: list[tuple[int, int]] = told) -> None:
                told.append((done, due))

            if number == 1:
                assert (await Attributor(store).settle(1)).sessions == 1
                assert await store.count_due(1) == 1
            await Attributor(store).settle(progress=tell, from_end=number == 2)
            assert told[-1][0] == told[-1][1]
        dumps.add(await dump(path))
    assert len(dumps) == 1


async def test_a_fork_is_settled_apart_from_what_it_inherited(
    store: TokenStore, tmp_path: Path
) -> None:
    await _ingested(store, tmp_path, SESSION)
    own = answer("msg_f", uuid="f1", parent="a2msg_a", second=40, billed=_billed(7, 1510))
    write(tmp_path, [*forked(_lines()), {**own, "sessionId": FORK}], FORK)
    await ingest_claude_code(store, [tmp_path])
    settled = await Attributor(store).settle()
    assert (settled.sessions, settled.messages) == (2, 3)  # each by the session that owns it
    found = {name: await store.session_attribution(name) for name in (SESSION, FORK)}
    assert {name: each and each.prompt_tokens for name, each in found.items()} == {
        SESSION: 2510,
        FORK: 1517,
    }
    assert "msg_a" in {item.id for item in await store.item_records(FORK)}


async def test_a_session_that_cannot_be_attributed_says_why(
    store: TokenStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _ingested(store, tmp_path, SESSION)

    def fails(*_: object) -> None:
        raise NotAttributableError("its parents are a riddle")

    with monkeypatch.context() as broken:
        broken.setattr("token_tracking.attributing.attributed.attribute", fails)
        settled = await Attributor(store).settle()
    assert settled.problems == {SESSION: "its parents are a riddle"}
    found = await store.session_attribution(SESSION)
    assert found is not None
    assert found.problem == "its parents are a riddle"
    assert await store.attribution_problems() == {"its parents are a riddle": 1}
    assert await store.share_sums("tool") == []
    assert not await store.has_due(1)
    again = await Attributor(store).recompute()
    assert (again.sessions, again.problems) == (1, {})
    assert await store.share_sums("tool") != []


async def test_a_ledger_of_an_earlier_version_has_its_transcripts_read_again(
    tmp_path: Path,
) -> None:
    """Which agent a call started, and which skill a text is of, was not kept before."""
    path, tree = tmp_path / "ledger.db", tmp_path / "claude"
    write(tree, [answer("msg_a", content=[tool_use("toolu_a", "Task", subagent_type="Explore")])])
    async with TokenStore.opened(path) as store:
        await ingest_claude_code(store, [tree])
        await Attributor(store).settle()
    now = await dump(path)
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM _yoyo_migration WHERE migration_id = '0005.shares'")
        connection.execute("UPDATE items SET uri_id = NULL, name_id = NULL")
    connection.close()
    async with TokenStore.opened(path) as store:
        assert (await ingest_claude_code(store, [tree])).unchanged == 0
        await Attributor(store).settle()
    assert await dump(path) == now


async def test_the_clients_own_total_is_a_fact_of_the_end(
    store: TokenStore, tmp_path: Path
) -> None:
    total = {
        "type": "cost-state",
        "sessionId": SESSION,
        "timestamp": at(30),
        "totalCostUSD": 0.5,
        "modelUsage": {"claude-opus-4-6": {"costUSD": 0.5, "inputTokens": 1, "outputTokens": 1}},
    }
    write(tmp_path, [*_lines(), total])
    await ingest_claude_code(store, [tmp_path])
    await Attributor(store).settle()
    facts = await store.facts()
    ledger = sum(sums.cost_pico for sums in (await store.period_totals()).values())
    assert facts.client_sessions == 1
    assert (facts.client_pico, facts.client_ledger_pico) == (500_000_000_000, ledger)


_SETTLE = """
import asyncio, json, sys
from token_tracking.attributing.attributor import Attributor
from token_tracking.store import TokenStore

async def main() -> None:
    async with TokenStore.opened(sys.argv[1]) as store:
        sys.stdin.read(1)
        settled = await Attributor(store).settle(from_end=sys.argv[2] == "end")
        print(json.dumps(settled.sessions))

asyncio.run(main())
"""


_IDS = [f"{number:08d}-1111-4111-8111-111111111111" for number in range(60)]


async def _ingest_many(path: Path, claude: Path) -> None:
    for number, name in enumerate(_IDS):
        write(claude, _lines(name, f"msg_{number:03d}"), name)
    async with TokenStore.opened(path) as store:
        await ingest_claude_code(store, [claude])


def _copied(path: Path, copy: Path) -> Path:
    with sqlite3.connect(path) as source, sqlite3.connect(copy) as target:
        source.backup(target)
    source.close()
    target.close()
    return copy


@pytest.mark.slow
async def test_what_two_processes_share_is_settled_once_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "l.db"
    await _ingest_many(path, tmp_path / "claude")
    monkeypatch.setattr("token_tracking.attributing.sharing._LEAST_MESSAGES", 8)
    dumps: set[str] = set()
    for much in (1, 10**9):
        monkeypatch.setattr("token_tracking.attributing.attributor.PARALLEL_MESSAGES", much)
        copy = _copied(path, tmp_path / f"{much}.db")
        told: list[tuple[int, int]] = []
        async with TokenStore.opened(copy) as store:
            settled = await Attributor(store).settle(
                progress=lambda done, due, told=told: told.append((done, due))
            )
            assert (settled.sessions, settled.messages) == (60, 120)
            assert told[-1] == (60, 60)
            assert not await store.has_due(1)
        assert broken_sums(copy) == []
        dumps.add(await dump(copy))
    assert len(dumps) == 1


@pytest.mark.parametrize("program", ["false", "echo"])
async def test_without_the_second_process_all_is_settled_as_well(
    store: TokenStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    await _ingested(store, tmp_path)
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"no program is named {program}")
    monkeypatch.setattr(sys, "executable", found)
    monkeypatch.setattr("token_tracking.attributing.attributor.PARALLEL_MESSAGES", 1)
    settled = await Attributor(store).settle()
    assert (settled.sessions, settled.messages, settled.problems) == (2, 4, {})
    assert not await store.has_due(1)


@pytest.mark.slow
async def test_two_processes_at_once_count_nothing_twice(tmp_path: Path) -> None:
    path = tmp_path / "l.db"
    await _ingest_many(path, tmp_path / "claude")
    alone = _copied(path, tmp_path / "alone.db")
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            _SETTLE,
            str(path),
            end,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        for end in ("start", "start", "end")
    ]
    answers = await asyncio.gather(*(process.communicate(b"x") for process in processes))
    assert sum(json.loads(answer[0]) for answer in answers) >= len(_IDS)
    async with TokenStore.opened(alone) as store:
        assert (await Attributor(store).settle()).sessions == len(_IDS)
        assert (await store.facts()) != Facts()
    assert broken_sums(path) == []
    assert await dump(path) == await dump(alone)
