"""What processes left in a spool, and who takes it in."""

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.ledgers import dump
from tests.recording.sightings import in_spool, keys, sighting, spool_of
from token_tracking.errors import StoreError
from token_tracking.location import Location
from token_tracking.recording import (
    Drained,
    Recorder,
    WaitingOnDisk,
    drain_spool,
    waiting_on_disk,
)
from token_tracking.store import TokenStore


def left_behind(database: Path, *names: str) -> Path:
    """The segment of a process that recorded these and is gone."""
    recorder = Recorder.open(database, drain=False)
    for name in names:
        recorder.record(sighting(name))
    recorder.close()
    return in_spool(database, "*.jsonl")[-1]


async def drained(database: Path) -> Drained:
    async with TokenStore.opened(database) as store:
        return await drain_spool(store)


async def test_what_a_process_left_is_taken_in_and_its_files_go(database: Path) -> None:
    left_behind(database, "a", "b")
    assert await drained(database) == Drained(events=2, segments=1)
    assert keys(database) == ["msg_a", "msg_b"]
    assert in_spool(database, "*") == []


async def test_a_ledger_without_a_spool_has_nothing_to_drain(database: Path) -> None:
    assert await drained(database) == Drained()
    assert not spool_of(database).exists()


async def test_what_a_living_process_recorded_is_left_to_it(database: Path) -> None:
    recorder = Recorder.open(database, drain=False)
    recorder.record(sighting("a"))
    program = (
        "import asyncio, sys\n"
        "from tests.recording.test_leftovers import drained\n"
        "print(asyncio.run(drained(sys.argv[1])).events)\n"
    )
    command = [sys.executable, "-c", program, str(database)]
    run = subprocess.run(command, capture_output=True, check=True, text=True)
    assert run.stdout == "0\n"
    assert await drained(database) == Drained()
    assert len(in_spool(database, "*.jsonl")) == 1
    recorder.close()
    assert await drained(database) == Drained(events=1, segments=1)


async def test_draining_the_same_files_twice_changes_nothing(database: Path) -> None:
    segment = left_behind(database, "a", "b", "a")
    content = segment.read_bytes()
    await drained(database)
    once = await dump(database)
    segment.write_bytes(content)
    assert await drained(database) == Drained(events=3, segments=1)
    assert await dump(database) == once
    assert len(keys(database)) == 2


async def test_two_that_drain_at_once_leave_each_message_once(database: Path) -> None:
    names = [f"{number:03}" for number in range(300)]
    for start in range(0, 300, 100):
        left_behind(database, *names[start : start + 100])
    async with TokenStore.opened(database) as one, TokenStore.opened(database) as other:
        both = await asyncio.gather(drain_spool(one), drain_spool(other))
    assert sum(each.events for each in both) == 300
    assert keys(database) == [f"msg_{name}" for name in names]
    assert in_spool(database, "*") == []


async def test_a_line_that_was_cut_short_is_skipped_and_counted(database: Path) -> None:
    segment = left_behind(database, "a", "b")
    segment.write_bytes(segment.read_bytes()[:-40])
    assert await drained(database) == Drained(events=1, segments=1, torn=1)
    assert keys(database) == ["msg_a"]
    assert in_spool(database, "*") == []


async def test_a_last_line_without_its_end_counts_if_it_is_whole(database: Path) -> None:
    segment = left_behind(database, "a", "b")
    segment.write_bytes(segment.read_bytes()[:-1])
    assert await drained(database) == Drained(events=2, segments=1)


async def test_garbage_is_moved_aside_and_the_rest_saved(database: Path) -> None:
    segment = left_behind(database, "a", "b")
    first, second = segment.read_bytes().splitlines(keepends=True)
    negative = first.replace(b'"input_tokens":11', b'"input_tokens":-1')
    segment.write_bytes(first + b"{\xff\n" + b"\n" + b"[]\n" + negative + second)
    assert await drained(database) == Drained(events=2, segments=1, refused=3)
    (bad,) = in_spool(database, "*")
    assert bad.read_bytes() == b"{\xff\n[]\n" + negative
    assert waiting_on_disk(Location(database)) == WaitingOnDisk(refused=3)


async def test_lines_that_were_moved_aside_are_tried_again_once_their_file_is_renamed(
    database: Path,
) -> None:
    segment = left_behind(database, "a")
    segment.rename(segment.with_suffix(".bad"))
    assert await drained(database) == Drained()
    segment.with_suffix(".bad").rename(segment)
    assert await drained(database) == Drained(events=1, segments=1)


async def test_a_file_of_a_newer_version_stays_as_it_is(database: Path) -> None:
    segment = left_behind(database, "a")
    newer = segment.rename(segment.with_name(segment.name.replace(".v1.", ".v2.")))
    assert await drained(database) == Drained()
    assert newer.exists()
    assert waiting_on_disk(Location(database)) == WaitingOnDisk(newer_segments=1)


async def test_what_the_ledger_does_not_take_stays(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left_behind(database, "a", "b")

    async def locked(*_: object) -> None:
        raise StoreError("locked")

    async with TokenStore.opened(database) as store:
        monkeypatch.setattr(store, "save_usage", locked)
        with pytest.raises(StoreError, match="locked"):
            await drain_spool(store)
    assert waiting_on_disk(Location(database)) == WaitingOnDisk(events=2)
    assert await drained(database) == Drained(events=2, segments=1)


async def test_a_spool_that_is_no_folder_is_told_of(database: Path) -> None:
    spool_of(database).write_text("in the way")
    with pytest.raises(StoreError, match="spool"):
        await drained(database)


async def test_an_old_lock_of_nobody_is_removed_and_a_new_one_stays(database: Path) -> None:
    spool_of(database).mkdir()
    old, new = (spool_of(database) / f"{pid}-abcdef.lock" for pid in (1, 2))
    old.touch()
    new.touch()
    hours_ago = time.time() - 2 * 3600
    os.utime(old, (hours_ago, hours_ago))
    await drained(database)
    assert in_spool(database, "*") == [new]


def test_a_program_takes_in_what_its_predecessor_left(database: Path) -> None:
    left_behind(database, "a")
    with Recorder.open(database) as recorder:
        recorder.record(sighting("b"))
        assert recorder.flush()
    assert keys(database) == ["msg_a", "msg_b"]
