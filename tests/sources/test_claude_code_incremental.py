"""Only what was appended is read, and any split of a file gives the same ledger."""

import json
import os
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.transcripts import build_tree
from tests.ledgers import dump
from tests.transcripts import FORK, SESSION, answer, asked, text, tool_result, tool_use, write
from token_tracking.ingest import Ingested, ingest_claude_code
from token_tracking.sources.claude_code import read_file, transcripts
from token_tracking.store import TokenStore


async def ingested(database: Path, claude: Path) -> Ingested:
    async with TokenStore.opened(database) as store:
        return await ingest_claude_code(store, [claude])


def turn(number: int, parent: str | None) -> list[dict[str, Any]]:
    """A prompt, an answer of three blocks, two results."""
    return [
        asked("hi", uuid=f"{number}-u", parent=parent, second=number),
        answer(f"msg_{number}", uuid=f"{number}-a", parent=f"{number}-u", second=number,
               content=[{"type": "text", "text": "some words"}]),
        answer(f"msg_{number}", uuid=f"{number}-b", parent=f"{number}-a", second=number,
               content=[tool_use(f"toolu_{number}x", "Read", file_path="/a")]),
        answer(f"msg_{number}", uuid=f"{number}-c", parent=f"{number}-b", second=number,
               content=[tool_use(f"toolu_{number}y", "Bash", command="ls")]),
        asked([tool_result(f"toolu_{number}x")], uuid=f"{number}-d", parent=f"{number}-b"),
        asked([tool_result(f"toolu_{number}y")], uuid=f"{number}-e", parent=f"{number}-d"),
    ]  # fmt: skip


def conversation(turns: int) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    for number in range(turns):
        lines += turn(number, f"{number - 1}-e" if number else None)
    # The user goes back to an early turn, and to one that is older than what is remembered.
    lines.append(answer("msg_back", uuid="back", parent="0-e", second=50))
    return lines


async def test_nothing_is_read_again_when_nothing_changed(tmp_path: Path, claude: Path) -> None:
    write(claude, conversation(2))
    first = await ingested(tmp_path / "l.db", claude)
    second = await ingested(tmp_path / "l.db", claude)
    assert (first.files, first.lines, first.saved.sums.messages) == (1, 13, 3)
    assert (second.files, second.bytes_read, second.saved.sums.messages) == (0, 0, 0)


async def test_only_what_was_appended_is_read(tmp_path: Path, claude: Path) -> None:
    lines = conversation(5)
    path = write(claude, lines)
    await ingested(tmp_path / "l.db", claude)
    more = text(turn(9, "back"))
    with path.open("a") as file:
        file.write(more)
    second = await ingested(tmp_path / "l.db", claude)
    assert (second.bytes_read, second.lines) == (len(more), 6)
    assert second.saved.sums.messages == 1


async def test_a_parent_that_was_forgotten_makes_the_file_be_read_again(
    tmp_path: Path, claude: Path
) -> None:
    lines = conversation(30)
    path = write(claude, lines[:-1])
    await ingested(tmp_path / "l.db", claude)
    write(claude, lines)
    second = await ingested(tmp_path / "l.db", claude)
    assert second.bytes_read == path.stat().st_size
    assert second.lines == 1
    await ingested(tmp_path / "quiet.db", claude)
    assert await dump(tmp_path / "l.db") == await dump(tmp_path / "quiet.db")


@pytest.mark.parametrize("replacement", [conversation(1), conversation(9)])
async def test_a_file_that_was_replaced_is_read_from_its_start(
    tmp_path: Path, claude: Path, replacement: list[dict[str, Any]]
) -> None:
    path = write(claude, [{"type": "summary", "summary": "x"}, *conversation(3)])
    await ingested(tmp_path / "l.db", claude)
    other = path.with_suffix(".new")
    other.write_text(text(replacement))
    other.replace(path)
    second = await ingested(tmp_path / "l.db", claude)
    assert second.bytes_read == path.stat().st_size
    assert second.lines == len(replacement)


async def test_a_file_that_was_rewritten_in_place_is_read_from_its_start(
    tmp_path: Path, claude: Path
) -> None:
    path = write(claude, conversation(3))
    await ingested(tmp_path / "l.db", claude)
    write(claude, [asked("something else"), *conversation(6)])
    second = await ingested(tmp_path / "l.db", claude)
    assert second.bytes_read == path.stat().st_size


async def test_a_file_that_was_shortened_loses_nothing(tmp_path: Path, claude: Path) -> None:
    write(claude, conversation(3))
    await ingested(tmp_path / "l.db", claude)
    write(claude, turn(7, None))
    second = await ingested(tmp_path / "l.db", claude)
    assert second.saved.sums.messages == 1
    async with TokenStore.opened(tmp_path / "l.db") as store:
        assert len(await store.get_recent_usage()) == 5


async def test_a_long_file_comes_in_several_readings(
    tmp_path: Path, claude: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(claude, conversation(20))
    await ingested(tmp_path / "quiet.db", claude)
    monkeypatch.setattr("token_tracking.sources.claude_code.reader._CHUNK", 300)
    monkeypatch.setattr("token_tracking.sources.claude_code.reader._READING_BYTES", 2000)
    readings = list(read_file(str(path), None))
    assert len(readings) > 5
    assert sum(reading.bytes_read for reading in readings) == path.stat().st_size
    await ingested(tmp_path / "l.db", claude)
    assert await dump(tmp_path / "l.db") == await dump(tmp_path / "quiet.db")


async def test_a_long_file_of_which_only_a_part_was_saved_is_read_on(
    tmp_path: Path, claude: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a kill between two of its readings."""
    path = write(claude, conversation(20))
    await ingested(tmp_path / "quiet.db", claude)
    monkeypatch.setattr("token_tracking.sources.claude_code.reader._CHUNK", 300)
    monkeypatch.setattr("token_tracking.sources.claude_code.reader._READING_BYTES", 2000)
    async with TokenStore.opened(tmp_path / "l.db") as store:
        await store.save_readings([next(read_file(str(path), None))])
    await ingested(tmp_path / "l.db", claude)
    assert await dump(tmp_path / "l.db") == await dump(tmp_path / "quiet.db")


async def test_a_session_that_a_line_without_a_time_names_first_is_the_same_in_any_split(
    tmp_path: Path, claude: Path
) -> None:
    lines = [
        asked(second=1),
        answer(sessionId=FORK, timestamp=None),
        asked("later", uuid="u-9", second=900, sessionId=FORK),
    ]
    for count in (2, 3):
        write(claude, lines[:count])
        await ingested(tmp_path / "split.db", claude)
    await ingested(tmp_path / "quiet.db", claude)
    assert await dump(tmp_path / "split.db") == await dump(tmp_path / "quiet.db")


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(cuts=st.lists(st.integers(0, 12_000), max_size=4), turns=st.integers(1, 4))
async def test_any_split_of_a_file_gives_the_same_ledger(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int], turns: int
) -> None:
    tmp_path = tmp_path_factory.mktemp("split")
    whole = text(conversation(turns)).encode()
    path = write(tmp_path / "claude", [])
    for cut in [*sorted(cuts), len(whole)]:
        path.write_bytes(whole[:cut])
        await ingested(tmp_path / "split.db", tmp_path / "claude")
    await ingested(tmp_path / "quiet.db", tmp_path / "claude")
    assert await dump(tmp_path / "split.db") == await dump(tmp_path / "quiet.db")


async def test_a_generated_tree_gives_the_same_ledger_in_any_order(tmp_path: Path) -> None:
    """Forks, subagents and files without a final newline included."""
    tree = tmp_path / "claude"
    build_tree(tree, 3, 7, None)
    files = list(transcripts(tree, {}))
    await ingested(tmp_path / "quiet.db", tree)
    shuffled = random.Random(3)
    for number in range(3):
        database = tmp_path / f"{number}.db"
        order = files * 2
        shuffled.shuffle(order)
        async with TokenStore.opened(database) as store:
            for file in order:
                await store.save_readings(read_file(file.path, None))
        assert await dump(database) == await dump(tmp_path / "quiet.db")


async def test_a_path_that_is_no_utf8_is_read(tmp_path: Path, claude: Path) -> None:
    folder = os.fsencode(claude / "projects" / "x") + b"\xff"
    try:
        os.makedirs(folder)  # noqa: PTH103 (a path in bytes)
    except OSError:
        pytest.skip("this file system refuses such names")
    with open(folder + b"/a.jsonl", "w") as file:  # noqa: PTH123 (a path in bytes)
        file.write(json.dumps(answer()) + "\n")
    assert (await ingested(tmp_path / "l.db", claude)).saved.sums.messages == 1
    assert (await ingested(tmp_path / "l.db", claude)).files == 0


async def test_two_names_of_one_folder_are_read_once(tmp_path: Path, claude: Path) -> None:
    write(claude, [answer()])
    link = tmp_path / "link"
    link.symlink_to(claude)
    async with TokenStore.opened(tmp_path / "l.db") as store:
        assert (await ingest_claude_code(store, [claude, link])).found == 1


async def test_a_link_that_leads_in_a_circle_ends(tmp_path: Path, claude: Path) -> None:
    write(claude, [answer()])
    (claude / "projects" / "loop").symlink_to(claude / "projects")
    assert (await ingested(tmp_path / "l.db", claude)).found == 1


async def test_defaults_are_the_folders_under_the_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    write(home / ".claude", [answer("msg_1")])
    write(home / ".config" / "claude", [answer("msg_2")], "other")
    async with TokenStore.opened(tmp_path / "l.db") as store:
        assert (await ingest_claude_code(store, environment={})).saved.sums.messages == 2


async def test_the_configured_folder_replaces_those_under_the_home_folder(
    tmp_path: Path, claude: Path
) -> None:
    write(tmp_path / "home" / ".claude", [answer("msg_1")])
    write(claude, [answer("msg_2")])
    async with TokenStore.opened(tmp_path / "l.db") as store:
        await ingest_claude_code(store, environment={"CLAUDE_CONFIG_DIR": str(claude)})
        (message,) = await store.get_recent_usage()
    assert message.message_id == "msg_2"


async def test_a_folder_without_projects_is_searched_itself(tmp_path: Path) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / f"{SESSION}.jsonl").write_text(text([answer()]))
    assert (await ingested(tmp_path / "l.db", folder)).saved.sums.messages == 1
