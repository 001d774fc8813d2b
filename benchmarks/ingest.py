"""Compares token-tracking with ccusage on one tree of transcripts: time, memory and size.

python -m benchmarks.ingest [--megabytes 500] [--runs 7] [--source auto|corpus|generator|FOLDER]
                            [--history-factor 10] [--json]

Times are those of whole processes, from spawn to exit, run in turn (A B A B ...), with a warm page
cache: each command runs once before it is timed. Needs npm for ccusage, and disk for the tree.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks import ccusage
from benchmarks.growth import append_lines
from benchmarks.ledger_size import ledger_size
from benchmarks.processes import Command, Run, Timing, interleaved
from benchmarks.results import Comparison, agreement, page
from benchmarks.transcripts import CACHE, REPOSITORY

APPENDED_BYTES = 1_000_000
LEDGER_ALONE = "--no-attribution"
DISK_FACTOR = 1.5  # the tree, and the databases of its runs


@dataclass
class Bench:
    """Two programs over one tree."""

    folder: Path
    program: Sequence[str]
    ccusage_binary: Path
    runs: int
    numbers: "count[int]" = field(default_factory=count)

    def tree(self, name: str) -> Path:
        """The folder that serves as CLAUDE_CONFIG_DIR."""
        return self.folder / name

    def ours(self, tree: str, *arguments: str, database: Path) -> Command:
        """token-tracking over a tree."""
        command, *rest = arguments
        full = [*self.program, command, "--db", str(database), *rest, "--json"]
        return Command(full, self._environment(tree))

    def theirs(self, tree: str) -> Command:
        """ccusage's `daily` over a tree."""
        arguments = [str(self.ccusage_binary), "daily", "--json", "--offline"]
        return Command(arguments, self._environment(tree))

    def cold(self, *options: str) -> tuple[Comparison, Path, Run]:
        """An empty database for each run; also the last database and what was printed."""
        theirs = self.theirs("tree")
        theirs.run()
        self._ingest(*options)
        last = list[tuple[Path, Run]]()

        def ingest() -> Run:
            last.append(self._ingest(*options))
            return last[-1][1]

        times = interleaved(self.runs, ingest, theirs.run)
        database = self._new_database()
        peak = self.ours("tree", "ingest", *options, database=database).peak_of_tree()
        goals = ("cold", (1.0, 2.0)) if options else ("cold, with attribution", (2.5, 2.5))
        found = self._compared(goals[0], times, goals[1], peak, theirs.peak_of_tree())
        return found, *last[-1]

    def warm(self, database: Path) -> Comparison:
        """Nothing new since the last report."""
        ours, theirs = self.ours("tree", "report", database=database), self.theirs("tree")
        ours.run()
        times = interleaved(self.runs, ours.run, theirs.run)
        return self._compared("warm", times, (0.3, 0.4), ours.peak_of_tree(), None)

    def appended(self, database: Path) -> Comparison:
        """Each run finds 1 MB more in one of the files."""
        ours, theirs = self.ours("tree", "report", database=database), self.theirs("tree")
        files = sorted(self.tree("tree").glob("projects/*/*.jsonl"))
        files.sort(key=lambda path: path.stat().st_size)
        middle = len(files) // 2

        def report() -> Run:
            number = next(self.numbers)
            append_lines(files[(middle + number) % len(files)], APPENDED_BYTES, seed=number)
            return ours.run()

        report()
        times = interleaved(self.runs, report, theirs.run)
        return self._compared("1 MB appended", times, (0.6, 0.6), None, None)

    def longer_history(self, database: Path, factor: int) -> dict[str, Any]:
        """The warm report over a tree that is `factor` times as large, beside the tree's own."""
        large = self._new_database()
        first = self.ours("history", "ingest", LEDGER_ALONE, database=large)
        cold = first.run()
        again = self.ours("history", "ingest", LEDGER_ALONE, database=self._new_database())
        peak = again.peak_of_tree()
        one = self.ours("tree", "report", database=database)
        many = self.ours("history", "report", database=large)
        one.run()
        many.run()
        times = interleaved(self.runs, many.run, one.run)
        return {
            "factor": factor,
            "report_seconds": [times[1].as_json(), times[0].as_json()],
            "ratio": times[0].median / times[1].median,
            "cold_seconds": cold.seconds,
            "cold_largest_process_bytes": cold.largest_bytes,
            "cold_tree_peak_bytes": peak,
        }

    def _compared(
        self,
        name: str,
        times: list[Timing],
        goals: tuple[float, float],
        peak: int | None,
        their_peak: int | None,
    ) -> Comparison:
        return Comparison(name, times[0], times[1], *goals, peak, their_peak)

    def _ingest(self, *options: str) -> tuple[Path, Run]:
        database = self._new_database()
        return database, self.ours("tree", "ingest", *options, database=database).run()

    def _new_database(self) -> Path:
        return self.folder / f"ledger-{next(self.numbers)}.db"

    def _environment(self, tree: str) -> dict[str, str]:
        """No other tool's history: a home folder that is empty."""
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
        return {**kept, "HOME": str(home), "CLAUDE_CONFIG_DIR": str(self.tree(tree))}


def build(folder: Path, megabytes: float, source: str, seed: int) -> None:
    """Build a tree in a process of its own: `ru_maxrss` of a child is no less than its parent's.

    Raises OSError if the disk has too little room.
    """
    free = shutil.disk_usage(folder.parent).free
    if free < megabytes * 1e6 * DISK_FACTOR:
        wanted = megabytes * DISK_FACTOR
        raise OSError(f"{wanted:,.0f} MB needed under {folder.parent}, {free / 1e6:,.0f} MB free")
    options = ["--megabytes", str(megabytes), "--source", source, "--seed", str(seed)]
    command = [sys.executable, "-m", "benchmarks.transcripts", "--build", str(folder), *options]
    subprocess.run(command, check=True, cwd=REPOSITORY)


def measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Every comparison, as one JSON value."""
    build(folder / "tree", options.megabytes, options.source, seed=1)
    binary = options.ccusage or ccusage.native_binary(CACHE)
    program = options.program.split() if options.program else [sys.executable, "-m"]
    program = program if options.program else [*program, "token_tracking_server.cli"]
    bench = Bench(folder, program, binary, options.runs)
    files = [path.stat().st_size for path in bench.tree("tree").rglob("*.jsonl")]
    cold, database, ingested = bench.cold(LEDGER_ALONE)
    attributed, *_ = bench.cold()
    counts: dict[str, Any] = json.loads(ingested.output)
    daily = bench.theirs("tree").run().output
    found: dict[str, Any] = {
        "tree": {"files": len(files), "megabytes": sum(files) / 1e6, "source": options.source},
        "comparisons": [each.as_json() for each in (cold, attributed, bench.warm(database))],
        "database": ledger_size(database, counts["messages"], counts["tool_uses"]),
        "totals": agreement(counts, ccusage.totals(daily)),
    }
    if options.history_factor > 1:
        build(folder / "history", options.megabytes * options.history_factor, options.source, 2)
        found["history"] = bench.longer_history(database, options.history_factor)
    found["comparisons"].append(bench.appended(database).as_json())
    return found


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ingest", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--megabytes", type=float, default=500)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--source", default="auto", help="auto, corpus, generator or a folder")
    parser.add_argument("--history-factor", type=int, default=1, help="10 needs ten times the disk")
    parser.add_argument("--program", help="the command to measure, if not this interpreter's own")
    parser.add_argument("--ccusage", type=Path, help="its native binary, if not npm's")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="benchmark-") as folder:
        found = measure(options, Path(folder))
    print(json.dumps(found, indent=1) if options.json else page(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
