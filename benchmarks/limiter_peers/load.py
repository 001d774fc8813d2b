"""The load, and what it shows: the fullest window, and how much of the limit was reached."""

import json
import math
import random
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass

SMALL, LARGE = 10, 2_000
"""Sizes of requests, in tokens; between them each power is as frequent as the next."""

RETRY_SECONDS = 0.02
"""How long a process waits that was refused: libraries that can wait do much the same."""

CALLS, CALL_TOKENS = 300, 1_000
"""How many requests the speed is measured over, and how large each is."""

Taken = list[tuple[float, int]]
"""When (seconds since 1970) and how much."""


@dataclass(frozen=True)
class Task:
    """What one process does. `key` is another one in each run; times are in seconds."""

    peer: str
    storage: str
    url: str
    key: str
    limit: int
    window: int
    seconds: float
    seed: int
    is_speed: bool = False


def task() -> Task:
    """The task that this process was given."""
    return Task(**json.loads(sys.argv[1]))


def started() -> float:
    """Say that the imports are done, and wait until it starts; the time when it ends is told."""
    print("ready", flush=True)
    start = float(sys.stdin.readline())
    time.sleep(max(0.0, start - time.time()))
    return start


def costs(seed: int) -> Iterator[int]:
    """Sizes of requests."""
    numbers = random.Random(seed)
    while True:
        yield round(math.exp(numbers.uniform(math.log(SMALL), math.log(LARGE))))


def saturate(task: Task, take: Callable[[int], bool]) -> Taken:
    """Take as much as is given, trying again until it is."""
    end = started() + task.seconds
    taken: Taken = []
    for cost in costs(task.seed):
        while not take(cost):
            if time.time() >= end:
                return taken
            time.sleep(RETRY_SECONDS)
        taken.append((time.time(), cost))
        if taken[-1][0] >= end:
            return taken
    return taken


def speed(take: Callable[[int], bool]) -> dict[str, float]:
    """Microseconds a call, and bytes of this process that its counts hold."""
    take(CALL_TOKENS)
    tracemalloc.start()
    for _ in range(CALLS):
        assert take(CALL_TOKENS)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    begin = time.perf_counter()
    for _ in range(CALLS):
        assert take(CALL_TOKENS)
    return {"microseconds": (time.perf_counter() - begin) / CALLS * 1e6, "bytes": held}


def answer(told: object) -> None:
    """The line that ends a process's work."""
    print(json.dumps(told), flush=True)


def fullest_window(taken: Taken, window: float) -> int:
    """The most tokens in any window; those that begin with a request are enough."""
    ordered = sorted(taken)
    most = total = first = 0
    for at, tokens in ordered:
        total += tokens
        while ordered[first][0] <= at - window:
            total -= ordered[first][1]
            first += 1
        most = max(most, total)
    return most


def reached(taken: Taken, start: float, task: Task) -> float:
    """Which share of the limit was taken over whole windows."""
    windows = task.seconds / task.window
    tokens = sum(tokens for at, tokens in taken if at < start + task.seconds)
    return tokens / (windows * task.limit)
