"""The benchmark's errors are of sessions that were not learned from, and its pages are what it
says."""

from pathlib import Path

import pytest

from benchmarks.counting import measure_errors
from benchmarks.counting_pages import PAGE, pages
from tests.counting.billed import transcript


@pytest.mark.slow
def test_it_measures_default_and_learned_on_the_same_held_out_sessions(claude: Path) -> None:
    transcript(claude, "one", 1.4, "claude-opus-4-6")
    transcript(claude, "two", 1.4, "claude-opus-4-6")
    found = measure_errors(claude)
    (row,) = found["models"]
    assert (row["samples"], row["kept"], row["reason"]) == (60, True, "better")
    answers = row["kinds"]["answer"]
    assert answers["held_out"] == 30
    assert answers["default"]["bias"] == pytest.approx(1.12 / 1.4 - 1, abs=0.01)
    assert answers["learned"]["p95"] < 0.01
    assert row["kinds"]["growth"] == {"held_out": 0, "default": None, "learned": None}


def test_a_tree_without_transcripts_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no billed texts"):
        measure_errors(tmp_path / "gone")


@pytest.mark.slow
def test_its_pages_have_a_megabyte_each_and_repeat_little() -> None:
    for name, text in pages().items():
        assert PAGE * 0.9 < len(text.encode()) <= PAGE, name
        lines = [line for line in text.splitlines() if len(line) > 40]
        assert len(set(lines)) > 0.8 * len(lines), name
