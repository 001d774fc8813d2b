"""Starts the processes of one run together, and collects what they took."""

import dataclasses
import json
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.limiter_peers import OURS
from benchmarks.limiter_peers.load import Taken, Task, fullest_window, reached

REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True)
class Saturated:
    """What several processes took together under load.

    `fullest` is the fullest window over the limit (1.0 is full); `reached` the share of the limit
    that was taken; `requests` how many requests passed.
    """

    fullest: float
    reached: float
    requests: int


def command(python: Path, task: Task) -> list[str]:
    """What starts a process of the task."""
    module = "benchmarks.limiter_peers.ours" if task.peer == OURS else "benchmarks.limiter_peers"
    executable = sys.executable if task.peer == OURS else str(python)
    return [executable, "-m", module, json.dumps(dataclasses.asdict(task))]


def fresh(task: Task) -> Task:
    """The same task with a key of its own."""
    return dataclasses.replace(task, key=f"limiter-benchmark-{uuid.uuid4().hex}")


def run(python: Path, task: Task, processes: int) -> tuple[float, list[dict[str, Any]]]:
    """When it started, and the answer of each process. Raises RuntimeError if one fails."""
    started = [
        subprocess.Popen(
            command(python, dataclasses.replace(task, seed=seed)),
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in range(processes)
    ]
    try:
        for process in started:
            assert process.stdout
            if process.stdout.readline().strip() != "ready":
                raise RuntimeError(f"a process of {task.peer} did not start")
        start = time.time() + 0.3
        answers = [process.communicate()[0] for process in _told(started, start)]
    finally:
        for process in started:
            process.kill()
            process.wait()
    if not all(answers):
        raise RuntimeError(f"a process of {task.peer} failed")
    return start, [json.loads(answer) for answer in answers]


def _told(processes: list[subprocess.Popen[str]], start: float) -> list[subprocess.Popen[str]]:
    """All hear when to start before any of them is waited for."""
    for process in processes:
        assert process.stdin
        process.stdin.write(f"{start}\n")
        process.stdin.flush()
    return processes


def saturated(python: Path, task: Task, processes: int) -> Saturated:
    """Several processes take as much as they get."""
    task = fresh(task)
    start, answers = run(python, task, processes)
    taken: Taken = [(at, tokens) for answer in answers for at, tokens in answer["taken"]]
    return Saturated(
        fullest=fullest_window(taken, task.window) / task.limit,
        reached=reached(taken, start, task),
        requests=len(taken),
    )
