"""Whole processes measured from outside: wall time and memory."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import IO

SAMPLE_SECONDS = 0.005
MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes; getrusage(2) of either system


class ProcessFailedError(RuntimeError):
    """A measured process ended with an error."""


@dataclass(frozen=True)
class Run:
    """One run: wall seconds from spawn to exit, largest resident process in bytes, its output."""

    seconds: float
    largest_bytes: int
    output: bytes


@dataclass(frozen=True)
class Timing:
    """Several runs of one command, in seconds; memory is the greatest of all runs, in bytes."""

    median: float
    minimum: float
    maximum: float
    runs: int
    largest_process_bytes: int

    @classmethod
    def of(cls, runs: Sequence[Run]) -> "Timing":
        """Summarise at least one run."""
        seconds = [run.seconds for run in runs]
        largest = max(run.largest_bytes for run in runs)
        return cls(median(seconds), min(seconds), max(seconds), len(runs), largest)

    def as_json(self) -> dict[str, float | int]:
        """Every field by its name."""
        return asdict(self)


@dataclass(frozen=True)
class Command:
    """A program with its arguments and environment."""

    arguments: Sequence[str]
    environment: Mapping[str, str]

    def run(self) -> Run:
        """Run it once; its output goes to a file, so that nobody has to read along.

        Raises ProcessFailedError with the end of stderr if it does not exit with 0. The memory is
        `ru_maxrss`: of the largest single process, and no less than this interpreter's own.
        """
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            started = time.perf_counter()
            process = subprocess.Popen(
                self.arguments,
                env=self.environment,
                stdout=out,
                stderr=err,
                stdin=subprocess.DEVNULL,
            )
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - started
            process.returncode = os.waitstatus_to_exitcode(status)
            self._check(process.returncode, err)
            out.seek(0)
            return Run(seconds, usage.ru_maxrss * MAXRSS_UNIT, out.read())

    def peak_of_tree(self) -> int | None:
        """Run once more, untimed: the greatest sum of memory over its process tree, in bytes.

        Sampled every 5 ms as proportional set size, which counts shared pages once. None where
        there is no `/proc` (macOS).
        """
        if not Path("/proc/self/smaps_rollup").exists():
            return None
        peak = 0
        with tempfile.TemporaryFile() as err:
            process = subprocess.Popen(
                self.arguments,
                env=self.environment,
                stdout=subprocess.DEVNULL,
                stderr=err,
                stdin=subprocess.DEVNULL,
            )
            while process.poll() is None:
                peak = max(peak, sum(map(_proportional_bytes, _tree(process.pid))))
                time.sleep(SAMPLE_SECONDS)
            self._check(process.returncode, err)
        return peak

    def _check(self, code: int, err: IO[bytes]) -> None:
        if code:
            err.seek(0)
            shown = err.read()[-2_000:].decode(errors="replace")
            raise ProcessFailedError(f"{' '.join(self.arguments)} exited with {code}:\n{shown}")


def _tree(pid: int) -> list[int]:
    found = [pid]
    for process in found:  # grows while it is walked
        for children in Path(f"/proc/{process}/task").glob("*/children"):
            try:
                found += map(int, children.read_text().split())
            except OSError:  # the thread ended
                continue
    return found


def _proportional_bytes(pid: int) -> int:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:  # the process ended
        return 0
    for line in rollup.splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def interleaved(runs: int, first: Callable[[], Run], second: Callable[[], Run]) -> list[Timing]:
    """Run both in turn (A B A B ...) so that both meet the same disturbances."""
    pairs = [(first(), second()) for _ in range(runs)]
    return [Timing.of(column) for column in zip(*pairs, strict=True)]
