"""A recorder that nothing hinders."""

import gc
import threading
from pathlib import Path

import pytest

from tests.recording.sightings import in_spool, keys, sighting, spool_of
from token_tracking.errors import StoreError
from token_tracking.recording import Recorder, RecorderStats
from token_tracking.recording.spool import SEGMENT_BYTES

IN_CHILD = [False, pytest.param(True, marks=pytest.mark.slow)]


@pytest.mark.parametrize("in_child", IN_CHILD)
def test_what_is_recorded_is_in_the_ledger_once_it_is_flushed(
    database: Path, in_child: bool
) -> None:
    with Recorder.open(database, in_child=in_child) as recorder:
        recorder.record(sighting("a"))
        recorder.record(sighting("b"))
        assert recorder.flush()
        assert recorder.stats == RecorderStats(recorded=2, drained=2)
        assert keys(database) == ["msg_a", "msg_b"]


@pytest.mark.parametrize("in_child", IN_CHILD)
def test_closing_drains_and_leaves_an_empty_spool(database: Path, in_child: bool) -> None:
    recorder = Recorder.open(database, in_child=in_child)
    for number in range(50):
        recorder.record(sighting(str(number)))
    assert recorder.close()
    assert len(keys(database)) == 50
    assert in_spool(database, "*") == []


async def test_flushing_does_not_hold_the_event_loop(database: Path) -> None:
    with Recorder.open(database) as recorder:
        recorder.record(sighting("a"))
        assert await recorder.flushed()
    assert keys(database) == ["msg_a"]


def test_a_sighting_is_on_disk_when_recording_it_returns(absent: Path) -> None:
    recorder = Recorder.open(absent, drain=False)
    recorder.record(sighting("a"))
    (segment,) = in_spool(absent, "*.jsonl")
    assert b'"msg_a"' in segment.read_bytes()
    assert not recorder.flush()
    assert not recorder.close()
    assert recorder.stats == RecorderStats(recorded=1, waiting=1)
    assert not absent.exists()


def test_a_recorder_that_recorded_nothing_makes_no_file(absent: Path) -> None:
    recorder = Recorder.open(absent)
    assert recorder.flush()
    assert recorder.close()
    assert not absent.exists()
    assert not spool_of(absent).exists()


def test_what_is_recorded_after_closing_waits_on_disk(database: Path) -> None:
    recorder = Recorder.open(database)
    recorder.record(sighting("a"))
    recorder.close()
    recorder.record(sighting("b"))
    assert keys(database) == ["msg_a"]
    assert recorder.stats.waiting == 1
    assert len(in_spool(database, "*.jsonl")) == 1
    recorder.close()


def test_the_folder_and_its_files_are_the_users_alone(database: Path) -> None:
    recorder = Recorder.open(database, drain=False)
    recorder.record(sighting("a"))
    (segment,) = in_spool(database, "*.jsonl")
    assert segment.stat().st_mode & 0o077 == 0
    assert spool_of(database).stat().st_mode & 0o077 == 0
    recorder.close()


def test_threads_record_at_once_and_each_message_counts_once(database: Path) -> None:
    recorder = Recorder.open(database)
    ready = threading.Barrier(8)

    def record(name: str) -> None:
        ready.wait()
        for number in range(200):
            recorder.record(sighting(f"{name}{number:03}"))

    threads = [threading.Thread(target=record, args=(name,)) for name in "abcdefgh"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert recorder.close()
    assert keys(database) == [f"msg_{name}{n:03}" for name in "abcdefgh" for n in range(200)]
    assert recorder.stats == RecorderStats(recorded=1600, drained=1600)


def test_more_than_a_segment_holds_goes_into_the_next(database: Path) -> None:
    recorder = Recorder.open(database, drain=False)
    count = SEGMENT_BYTES // 600
    for number in range(count):
        recorder.record(sighting(f"{number:06}"))
    recorder.close()
    assert len(in_spool(database, "*.jsonl")) == 2
    with Recorder.open(database) as later:
        later.record(sighting("z"))
        assert later.flush()
    assert len(keys(database)) == count + 1


def test_a_finalizer_records_in_the_middle_of_a_write(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As that of a stream which nobody read to its end: it runs wherever memory is collected."""
    import os

    recorder = Recorder.open(database)

    class Abandoned:
        def __init__(self) -> None:
            self.itself = self

        def __del__(self) -> None:
            recorder.record(sighting("abandoned"))

    write = os.write

    def collecting(file: int, data: bytes) -> int:
        gc.collect()
        return write(file, data)

    Abandoned()
    monkeypatch.setattr(os, "write", collecting)
    recorder.record(sighting("a"))
    monkeypatch.undo()
    assert recorder.close()
    assert keys(database) == ["msg_a", "msg_abandoned"]


def test_the_users_prices_are_those_it_saves_with(database: Path, tmp_path: Path) -> None:
    prices = tmp_path / "prices.toml"
    prices.write_text("nonsense")
    recorder = Recorder.open(database, user_prices=prices)
    recorder.record(sighting("a"))
    while recorder.stats.problem is None:
        assert not recorder.flush(0.05)
    assert "prices.toml" in recorder.stats.problem
    prices.write_text("")
    assert recorder.close()
    assert recorder.stats.problem is None


def test_a_database_of_another_kind_is_refused_at_once() -> None:
    with pytest.raises(StoreError, match="not supported"):
        Recorder.open("postgresql://host/ledger")
