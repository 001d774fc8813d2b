"""Several processes over one ledger, some of which are killed."""

import asyncio
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.transcripts import build_tree
from tests.ledgers import dump
from token_tracking.ingest import ingest_claude_code
from token_tracking.store import TokenStore


def ingest(database: Path, tree: Path) -> list[str]:
    return [
        sys.executable,
        "-m",
        "token_tracking_server.cli",
        "ingest",
        "--db",
        str(database),
        "--claude-dir",
        str(tree),
        "--json",
    ]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
async def test_ten_processes_of_which_some_are_killed_leave_the_ledger_of_one_quiet_run(
    tmp_path: Path,
) -> None:
    tree = build_tree(tmp_path / "claude", 12, 11, None)
    quiet = subprocess.run(
        ingest(tmp_path / "quiet.db", tree), check=True, capture_output=True, text=True
    )
    chance = random.Random(5)
    processes = [
        subprocess.Popen(
            ingest(tmp_path / "l.db", tree), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(10)
    ]
    doomed = processes[::2]
    for process in doomed:
        # Random moments, from the creation of the database to the last transaction.
        time.sleep(chance.uniform(0, 0.4))
        process.send_signal(signal.SIGKILL)
    for process in processes:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == (-signal.SIGKILL if process in doomed else 0) or (
            process in doomed and process.returncode == 0
        ), errors.decode()
    assert await dump(tmp_path / "l.db") == await dump(tmp_path / "quiet.db")
    assert '"messages"' in quiet.stdout


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
async def test_runs_that_are_killed_again_and_again_come_to_the_same_ledger(
    tmp_path: Path,
) -> None:
    tree = build_tree(tmp_path / "claude", 12, 12, None)
    subprocess.run(ingest(tmp_path / "quiet.db", tree), check=True, capture_output=True)
    chance = random.Random(7)
    for _ in range(12):
        process = subprocess.Popen(
            ingest(tmp_path / "l.db", tree), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(chance.uniform(0.1, 0.6))
        process.kill()
        process.wait()
    subprocess.run(ingest(tmp_path / "l.db", tree), check=True, capture_output=True)
    assert await dump(tmp_path / "l.db") == await dump(tmp_path / "quiet.db")


async def test_two_processes_share_a_large_tree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = build_tree(tmp_path / "claude", 6, 13, None)
    async with TokenStore.opened(tmp_path / "one.db") as store:
        one = await ingest_claude_code(store, [tree])
    monkeypatch.setattr("token_tracking.ingest.ingest._PARALLEL_BYTES", 1)
    monkeypatch.setattr("token_tracking.ingest.ingest._PORTION_BYTES", 500_000)
    seen: list[tuple[int, int]] = []
    async with TokenStore.opened(tmp_path / "two.db") as store:
        two = await ingest_claude_code(
            store, [tree], progress=lambda done, total: seen.append((done, total))
        )
    assert (two.lines, two.files, two.saved) == (one.lines, one.files, one.saved)
    assert seen[-1] == (seen[-1][1], one.bytes_read)
    assert await dump(tmp_path / "two.db") == await dump(tmp_path / "one.db")


async def test_what_a_second_process_that_dies_left_is_done_by_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = build_tree(tmp_path / "claude", 6, 13, None)
    async with TokenStore.opened(tmp_path / "one.db") as store:
        one = await ingest_claude_code(store, [tree])
    monkeypatch.setattr("token_tracking.ingest.ingest._PARALLEL_BYTES", 1)
    monkeypatch.setattr("token_tracking.ingest.ingest._PORTION_BYTES", 500_000)
    monkeypatch.setattr("token_tracking.child_process.sys.executable", "/bin/true")
    async with TokenStore.opened(tmp_path / "two.db") as store:
        two = await ingest_claude_code(store, [tree])
    assert two.saved == one.saved
    assert await dump(tmp_path / "two.db") == await dump(tmp_path / "one.db")


async def test_a_file_that_grows_while_it_is_read_loses_nothing(tmp_path: Path) -> None:
    tree = build_tree(tmp_path / "claude", 2, 14, None)
    files = sorted(tree.rglob("*.jsonl"))
    texts = {file: file.read_bytes() for file in files}
    for file in files:
        file.write_bytes(b"")

    async def grow() -> None:
        for file, text in texts.items():
            with file.open("ab") as out:
                for begin in range(0, len(text), 50_000):
                    out.write(text[begin : begin + 50_000])
                    out.flush()
                    await asyncio.sleep(0)

    async with TokenStore.opened(tmp_path / "l.db") as store:
        growing = asyncio.create_task(grow())
        while not growing.done():
            await ingest_claude_code(store, [tree])
        await growing
        await ingest_claude_code(store, [tree])
    async with TokenStore.opened(tmp_path / "quiet.db") as store:
        await ingest_claude_code(store, [tree])
    assert await dump(tmp_path / "l.db") == await dump(tmp_path / "quiet.db")


async def test_what_is_read_while_another_process_writes_is_saved_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = build_tree(tmp_path / "claude", 4, 15, None)
    async with TokenStore.opened(tmp_path / "one.db") as store:
        one = await ingest_claude_code(store, [tree])
    monkeypatch.setattr("token_tracking.ingest.ingest._PORTION_BYTES", 300_000)
    monkeypatch.setattr("token_tracking.store.turnstile.Turnstile.is_taken", _is_taken)
    async with TokenStore.opened(tmp_path / "two.db") as store:
        two = await ingest_claude_code(store, [tree])
    assert (two.lines, two.saved) == (one.lines, one.saved)
    assert await dump(tmp_path / "two.db") == await dump(tmp_path / "one.db")


def _is_taken(turnstile: object) -> bool:
    return True


async def test_a_second_process_that_holds_what_it_read_is_told_when_there_is_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its writes always find the ledger taken: it answers late, and for all at the end."""
    tree = build_tree(tmp_path / "claude", 6, 16, None)
    always_taken = tmp_path / "taken" / "sitecustomize.py"
    always_taken.parent.mkdir()
    always_taken.write_text(
        "from token_tracking.store.turnstile import Turnstile\n"
        "Turnstile.is_taken = lambda self: True\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(always_taken.parent))
    monkeypatch.setattr("token_tracking.ingest.ingest._PARALLEL_BYTES", 1)
    monkeypatch.setattr("token_tracking.ingest.ingest._PORTION_BYTES", 500_000)
    async with TokenStore.opened(tmp_path / "two.db") as store:
        two = await asyncio.wait_for(ingest_claude_code(store, [tree]), 60)
    async with TokenStore.opened(tmp_path / "one.db") as store:
        one = await ingest_claude_code(store, [tree])
    assert (two.lines, two.saved) == (one.lines, one.saved)
