"""A process that is forked has its own files, and leaves those of its parent alone."""

import asyncio
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.recording.sightings import in_spool, keys, sighting
from tests.recording.test_leftovers import drained
from token_tracking.recording import Drained, Recorder

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="fork is POSIX")


def in_fork(run: Callable[[], None]) -> None:
    """Run it in a forked process, and wait for its end."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # threads beside a fork: that is it
        pid = os.fork()
    if pid == 0:
        try:
            run()
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(pid, 0)[1] == 0


@pytest.mark.parametrize("in_child", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_both_record_and_each_message_is_in_the_ledger(database: Path, in_child: bool) -> None:
    recorder = Recorder.open(database, in_child=in_child)
    recorder.record(sighting("before"))
    assert recorder.flush()
    recorder.record(sighting("parent"))

    def child() -> None:
        assert recorder.stats.recorded == 0
        recorder.record(sighting("child"))
        assert recorder.close()

    in_fork(child)
    recorder.record(sighting("after"))
    assert recorder.close()
    assert keys(database) == ["msg_after", "msg_before", "msg_child", "msg_parent"]
    assert in_spool(database, "*") == []


def test_a_fork_that_ends_does_not_free_what_its_parent_holds(database: Path) -> None:
    recorder = Recorder.open(database, drain=False)
    recorder.record(sighting("a"))

    def child() -> None:
        recorder.record(sighting("b"))
        recorder.close()

    in_fork(child)
    assert asyncio.run(drained(database)) == Drained(events=1, segments=1)
    assert keys(database) == ["msg_b"]
    recorder.record(sighting("c"))
    recorder.close()
    assert asyncio.run(drained(database)) == Drained(events=2, segments=1)


def test_what_a_fork_leaves_is_taken_in_though_its_parent_lives(database: Path) -> None:
    recorder = Recorder.open(database, drain=False)
    recorder.record(sighting("a"))
    in_fork(lambda: recorder.record(sighting("b")))
    assert asyncio.run(drained(database)) == Drained(events=1, segments=1)
    assert keys(database) == ["msg_b"]
    recorder.close()
