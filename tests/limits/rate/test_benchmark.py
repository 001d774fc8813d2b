"""What the benchmark of limiters measures, and that its processes work."""

import sys
from pathlib import Path

import pytest

from benchmarks.limiter import page
from benchmarks.limiter_peers import OURS
from benchmarks.limiter_peers.load import Task, fullest_window, reached
from benchmarks.limiter_peers.running import saturated

TASK = Task(OURS, "memory", "", "", limit=10_000, window=1, seconds=2.0, seed=0)


def test_the_fullest_window_begins_anywhere() -> None:
    taken = [(0.0, 10), (0.9, 50), (1.1, 50), (1.8, 1), (3.0, 60)]
    assert fullest_window(taken, 1.0) == 101
    assert fullest_window([], 1.0) == 0


def test_what_is_reached_counts_whole_windows_only() -> None:
    taken = [(100.0, 6_000), (101.9, 6_000), (102.1, 10_000)]
    assert reached(taken, 100.0, TASK) == 0.6


@pytest.mark.slow
def test_a_process_takes_what_its_limit_allows() -> None:
    found = saturated(Path(sys.executable), TASK, 1)
    assert 0.5 < found.reached <= 1.1
    assert found.requests > 1


def test_the_page_has_a_line_for_each_limiter() -> None:
    row = {"name": "x", "title": "The one", "storage": "memory", "processes": 1}
    row |= {"fullest_window": 1.5, "reached": 0.97, "microseconds": 12.0, "bytes": 3_000}
    text = page(
        {"limit": 10, "window_seconds": 5, "limiters": [row | {"gives_back": False}]},
    )
    assert "The one" in text
    assert "150.0%" in text
    assert text.endswith("no")
