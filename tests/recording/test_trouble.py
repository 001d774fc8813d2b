"""A disk or a ledger that takes nothing, and sightings that it will not have."""

import errno
import logging
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.recording.sightings import in_spool, keys, sighting, spool_of
from token_tracking.recording import Recorder, RecorderStats, intake
from token_tracking.usage import UsageEvent


def test_while_the_folder_cannot_be_made_sightings_wait_in_memory(database: Path) -> None:
    spool_of(database).write_text("in the way")
    recorder = Recorder.open(database)
    recorder.record(sighting("a"))
    recorder.record(sighting("b"))
    assert not recorder.flush(0.05)
    assert recorder.stats.waiting == 2
    assert "ledger.db.spool cannot be written" in (recorder.stats.problem or "")
    spool_of(database).unlink()
    assert recorder.close()
    assert recorder.stats == RecorderStats(recorded=2, drained=2)
    assert keys(database) == ["msg_a", "msg_b"]


def test_a_disk_that_takes_nothing_is_told_of_once(
    database: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spool_of(database).write_text("in the way")
    recorder = Recorder.open(database, drain=False)
    for number in range(20):
        recorder.record(sighting(str(number)))
    assert len(caplog.records) == 1


def test_a_disk_that_is_full_in_the_middle_of_a_line_loses_and_garbles_nothing(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    recorder = Recorder.open(database)
    recorder.record(sighting("a"))
    answers = iter([100, OSError(errno.ENOSPC, "No space left on device")])

    def full(file: int, data: bytes) -> int:
        answer = next(answers, len(data))
        if isinstance(answer, OSError):
            raise answer
        return write(file, data[:answer])

    monkeypatch.setattr(os, "write", full)
    recorder.record(sighting("b"))
    assert "No space left" in (recorder.stats.problem or "")
    recorder.record(sighting("c"))
    recorder.record(sighting("d"))
    monkeypatch.undo()
    assert recorder.close()
    assert keys(database) == ["msg_a", "msg_b", "msg_c", "msg_d"]
    assert recorder.stats == RecorderStats(recorded=4, drained=4)


def test_a_line_that_cannot_be_cut_off_is_left_as_the_last_of_its_segment(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    lengths = iter([100])

    def refuse(file: int, length: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    recorder = Recorder.open(database)
    recorder.record(sighting("a"))
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, data[: next(lengths, None)]))  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    monkeypatch.setattr(os, "ftruncate", refuse)
    recorder.record(sighting("b"))
    monkeypatch.undo()
    assert recorder.close()
    assert keys(database) == ["msg_a", "msg_b"]


def test_what_passes_the_bound_of_memory_is_lost_and_counted(
    database: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(intake, "MOST_KEPT_BYTES", 2000)
    spool_of(database).write_text("in the way")
    recorder = Recorder.open(database)
    for number in range(10):
        recorder.record(sighting(str(number)))
    stats = recorder.stats
    assert stats.recorded == 10
    assert stats.waiting + stats.lost == 10
    assert 0 < stats.waiting < 10
    spool_of(database).unlink()
    assert not recorder.close()
    assert recorder.stats.drained == stats.waiting
    assert len(keys(database)) == stats.waiting
    assert [record.levelno for record in caplog.records] == [logging.WARNING, logging.ERROR]


def test_what_is_only_in_memory_at_the_end_is_lost_and_told(
    database: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spool_of(database).write_text("in the way")
    recorder = Recorder.open(database, drain=False)
    recorder.record(sighting("a"))
    assert not recorder.close()
    assert recorder.stats.lost == 1
    assert recorder.stats.waiting == 0
    assert "1 messages are lost" in caplog.text


def test_a_text_that_is_no_unicode_is_lost_and_fails_nobody(
    database: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Recorder.open(database) as recorder:
        recorder.record(sighting("a", session="\ud800"))
        recorder.record(sighting("b"))
        assert not recorder.flush()
        assert recorder.stats.lost == 1
        assert recorder.stats.recorded == 2
    assert keys(database) == ["msg_b"]
    assert "written down" in caplog.text


def test_while_the_ledger_cannot_be_used_all_stays_on_disk(
    absent: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(sqlite3.connect(absent)) as other:
        other.execute("CREATE TABLE theirs (a)")
    recorder = Recorder.open(absent)
    recorder.record(sighting("a"))
    while recorder.stats.problem is None:
        assert not recorder.flush(0.05)
    recorder.record(sighting("b"))
    assert "another program" in (recorder.stats.problem or "")
    assert recorder.stats.waiting == 2
    absent.unlink()
    assert recorder.flush()
    assert recorder.stats == RecorderStats(recorded=2, drained=2)
    assert len(caplog.records) == 1
    recorder.close()
    assert keys(absent) == ["msg_a", "msg_b"]


def test_a_ledger_that_cannot_be_used_at_the_end_leaves_it_to_the_next_process(
    absent: Path,
) -> None:
    absent.write_text("no database at all")
    recorder = Recorder.open(absent)
    recorder.record(sighting("a"))
    assert not recorder.close()
    assert recorder.stats.waiting == 1
    absent.unlink()
    with Recorder.open(absent) as later:
        later.record(sighting("b"))
        assert later.flush()
    assert keys(absent) == ["msg_a", "msg_b"]
    assert in_spool(absent, "*") == []


def test_a_ledger_that_is_locked_for_longer_than_closing_waits_holds_nobody(
    database: Path,
) -> None:
    with Recorder.open(database) as recorder:
        recorder.record(sighting("a"))
        assert recorder.flush()
    with closing(sqlite3.connect(database)) as other:
        other.execute("BEGIN IMMEDIATE")
        recorder = Recorder.open(database, in_child=True)
        recorder.record(sighting("b"))
        assert not recorder.close(0.1)
        other.execute("ROLLBACK")
    with Recorder.open(database) as later:
        later.record(sighting("c"))
        assert later.flush()
    assert keys(database) == ["msg_a", "msg_b", "msg_c"]


def test_an_event_that_the_ledger_refuses_holds_up_no_other(database: Path) -> None:
    names = [f"{number:02}" for number in range(20)]
    recorder = Recorder.open(database)
    for name in names:
        recorder.record(sighting(name, text_bytes=2**70 if name in {"03", "17"} else 0))
    assert not recorder.close()
    kept = [f"msg_{name}" for name in names if name not in {"03", "17"}]
    assert keys(database) == kept
    stats = recorder.stats
    assert (stats.drained, stats.refused, stats.waiting, stats.lost) == (18, 2, 0, 0)
    (bad,) = in_spool(database, "*")
    lines = bad.read_bytes().splitlines()
    assert [b"msg_03" in lines[0], b"msg_17" in lines[1], len(lines)] == [True, True, 2]


def test_a_file_that_another_deleted_counts_as_lost(database: Path) -> None:
    recorder = Recorder.open(database)
    recorder.record(sighting("a"))
    assert recorder.flush()
    idle = Recorder.open(database, drain=False)
    idle.record(sighting("b"))
    recorder.record(sighting("c"))
    for path in in_spool(database, "*.jsonl"):
        path.unlink()
    assert not recorder.close()
    assert recorder.stats.lost == 1
    assert recorder.stats.waiting == 0
    idle.close()


def test_a_fault_in_saving_is_told_and_tried_again(
    database: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from token_tracking.store import TokenStore

    save = TokenStore.save_usage
    faults = iter([RuntimeError("a fault")])

    async def fail_once(self: TokenStore, events: list[UsageEvent]) -> object:
        for fault in faults:
            raise fault
        return await save(self, events)

    monkeypatch.setattr(TokenStore, "save_usage", fail_once)
    recorder = Recorder.open(database)
    recorder.record(sighting("a"))
    recorder.flush()
    assert recorder.close()
    assert keys(database) == ["msg_a"]
    assert "a fault" in caplog.text
