"""What the benchmarks report, on programs that take no time."""

import os
import sqlite3
import sys
from pathlib import Path

import pytest

from benchmarks.ledger_size import ledger_size
from benchmarks.processes import Command, ProcessFailedError, Run, interleaved
from benchmarks.results import Comparison, agreement, page


def test_a_failing_program_ends_the_benchmark_with_its_own_words() -> None:
    command = Command([sys.executable, "-c", "raise SystemExit('no such tree')"], os.environ)

    with pytest.raises(ProcessFailedError, match="no such tree"):
        command.run()


def test_a_run_keeps_the_output_and_the_memory_of_the_process() -> None:
    run = Command([sys.executable, "-c", "print(len(bytes(50_000_000)))"], os.environ).run()

    assert run.output == b"50000000\n"
    assert run.largest_bytes > 50_000_000


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="needs /proc")
def test_the_memory_of_a_tree_includes_its_children() -> None:
    child = "import time; kept = b'a' * 60_000_000; time.sleep(0.15)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    peak = Command([sys.executable, "-c", parent], os.environ).peak_of_tree()

    assert peak
    assert peak > 60_000_000


def test_programs_run_in_turn_and_are_summarised_by_their_median() -> None:
    order = list[str]()

    def run(name: str, seconds: float) -> Run:
        order.append(name)
        return Run(seconds * len(order), len(order), b"")

    ours, theirs = interleaved(3, lambda: run("a", 1), lambda: run("b", 10))

    assert order == ["a", "b"] * 3
    assert (ours.median, ours.minimum, ours.maximum, ours.runs) == (3, 1, 5, 3)
    assert theirs.largest_process_bytes == 6


def test_the_database_is_weighed_by_the_items_that_it_holds(tmp_path: Path) -> None:
    database = tmp_path / "ledger.db"
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE content_item (id TEXT)")
        connection.executemany("INSERT INTO content_item VALUES (?)", [("a",), ("b",)])
    connection.close()
    found = ledger_size(database, messages=1, tool_uses=7)

    assert found["items"] == 2
    assert found["allowed_bytes"] == 400 + 2 * 150
    assert found["bytes"] == database.stat().st_size
    assert not found["met"]


def test_each_ratio_stands_beside_its_goal(tmp_path: Path) -> None:
    ours, theirs = interleaved(1, lambda: Run(0.3, 1, b""), lambda: Run(0.6, 1, b""))
    sqlite3.connect(tmp_path / "ledger.db").close()
    compared = Comparison("warm", ours, theirs, 0.3, 0.5, 300_000_000)
    text = page(
        {
            "tree": {"files": 2, "megabytes": 1.0, "source": "generator"},
            "comparisons": [compared.as_json()],
            "database": ledger_size(tmp_path / "ledger.db", 1, 1),
            "totals": agreement({"input_tokens": 3}, {"input_tokens": 5}),
        }
    )

    assert "warm: ratio 0.50; goal 0.3: NOT met, at most 0.5: met" in text
    assert "300 MB; at most 250 MB: NOT met" in text
    assert "ccusage +2" in text
