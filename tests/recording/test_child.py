"""The child process that saves."""

from pathlib import Path

import pytest

from tests.recording.sightings import keys, sighting
from tests.recording.test_leftovers import left_behind
from token_tracking.errors import StoreError
from token_tracking.location import Location
from token_tracking.recording import Drained, Recorder
from token_tracking.recording.drains import ChildDrain

pytestmark = pytest.mark.slow


def test_a_child_that_was_killed_is_started_again(database: Path) -> None:
    drain = ChildDrain(Location(database), None)
    assert drain.take(None) == Drained()
    segment = left_behind(database, "a")
    drain.abandon()
    with pytest.raises(StoreError, match="ended"):
        drain.take(segment)
    assert drain.take(segment) == Drained(events=1, segments=1)
    drain.close()
    assert keys(database) == ["msg_a"]


def test_what_the_child_says_of_the_ledger_is_told(absent: Path) -> None:
    absent.write_text("no database at all")
    recorder = Recorder.open(absent, in_child=True)
    recorder.record(sighting("a"))
    assert not recorder.close()
    assert "not a token-tracking database" in (recorder.stats.problem or "")


def test_what_the_ledger_refuses_is_counted_and_told(
    database: Path, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = Recorder.open(database, in_child=True)
    recorder.record(sighting("a", text_bytes=2**70))
    recorder.record(sighting("b"))
    assert not recorder.close()
    assert recorder.stats.refused == 1
    assert keys(database) == ["msg_b"]
    assert "1 recorded lines" in caplog.text
