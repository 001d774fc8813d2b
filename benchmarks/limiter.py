"""Rate limiters beside each other: `python -m benchmarks.limiter [--json]`.

What is asked of a limiter of tokens: that no window of its length, wherever it begins, holds more
than the limit; that under load at least 95% of the limit is reached; that what was reserved can be
given back or corrected; and that a call is fast and its counts small. The libraries (throttled-py,
limits, pyrate-limiter) run in processes of an environment of their own, which is built in `--cache`
the first time. Times are each process's own, taken when its request may go, so they hold what a
machine under load adds.

`--memory-only` leaves Redis out: one process then, instead of 20 that share it.
"""

import argparse
import json
import sys
import uuid
from pathlib import Path
from typing import Any

from redis import Redis

from benchmarks.limiter_peers import OURS, PEERS
from benchmarks.limiter_peers.environment import environment
from benchmarks.limiter_peers.load import CALLS, Task
from benchmarks.limiter_peers.running import fresh, run, saturated

LIMIT = 200_000
"""Tokens a window: 500 requests of the load's mean."""

GOAL = 0.95
"""How much of the limit is to be reached."""

NOT_IN_REDIS = 1
"""Processes where nothing is shared."""

CANNOT_GIVE_BACK = frozenset(PEERS)
"""None of the libraries has a call that lowers a count by what was not used: of all that they
offer, only clearing a key or waiting for it lowers one."""


def measured(python: Path, peer: str, task: Task, processes: int) -> dict[str, Any]:
    """One limiter's row."""
    under_load = saturated(python, task, processes)
    rapid = fresh(
        Task(peer, task.storage, task.url, "", CALLS * 10_000, task.window, 0.0, 0, is_speed=True)
    )
    _, [answer] = run(python, rapid, NOT_IN_REDIS)
    is_redis = task.storage == "redis"
    return {
        "name": peer,
        "title": PEERS.get(peer, "token-tracking, sub-windows"),
        "storage": task.storage,
        "processes": processes,
        "fullest_window": under_load.fullest,
        "is_lawful": under_load.fullest <= 1.0,
        "reached": under_load.reached,
        "reaches_goal": under_load.reached >= GOAL,
        "requests": under_load.requests,
        "microseconds": answer["microseconds"],
        "bytes": redis_bytes(task.url, rapid.key) if is_redis else answer["bytes"],
        "gives_back": peer not in CANNOT_GIVE_BACK,
    }


def redis_bytes(url: str, key: str) -> int:
    """What Redis holds for a key of this benchmark; it is deleted then."""
    client: Any = Redis.from_url(url)  # pyright: ignore[reportUnknownMemberType]
    with client:
        names = list(client.scan_iter(f"*{key}*", count=10_000))
        size = sum(client.memory_usage(name, samples=0) or 0 for name in names)
        if names:
            client.delete(*names)
    return size


def compare(options: argparse.Namespace) -> dict[str, Any]:
    """Every limiter, one after the other."""
    python = environment(options.cache)
    rows: list[dict[str, Any]] = []
    storages = ["memory"] if options.memory_only else ["memory", "redis"]
    for storage in storages:
        processes = options.processes if storage == "redis" else NOT_IN_REDIS
        for peer in (OURS, *PEERS):
            seconds = options.window * options.windows
            key = uuid.uuid4().hex
            task = Task(peer, storage, options.redis, key, LIMIT, options.window, seconds, 0)
            rows.append(measured(python, peer, task, processes))
    return {"limit": LIMIT, "window_seconds": options.window, "goal": GOAL, "limiters": rows}


def page(found: dict[str, Any]) -> str:
    """The result as plain text."""
    lines = [
        f"{found['limit']:,} tokens in any {found['window_seconds']} seconds, under load",
        "",
        f"{'':<40}{'fullest':>9}{'reached':>9}{'us/call':>9}{'bytes':>12}  gives back",
    ]
    storage = ""
    for row in found["limiters"]:
        if row["storage"] != storage:
            storage = row["storage"]
            lines.append(f"{storage}, {row['processes']} process(es)")
        gives_back = "yes" if row["gives_back"] else "no"
        lines.append(
            f"  {row['title']:<38}{row['fullest_window']:>9.1%}{row['reached']:>9.1%}"
            f"{row['microseconds']:>9,.0f}{row['bytes']:>12,}  {gives_back}"
        )
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.limiter", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--redis", default="redis://127.0.0.1:6379/0", help="its address")
    parser.add_argument("--memory-only", action="store_true")
    parser.add_argument("--processes", type=int, default=20, help="that share one Redis")
    parser.add_argument("--window", type=int, default=5, help="seconds")
    parser.add_argument("--windows", type=int, default=3, help="how many, one after another")
    parser.add_argument("--cache", type=Path, default=Path(".cache"))
    parser.add_argument("--json", action="store_true")
    found = compare(options := parser.parse_args(arguments))
    print(json.dumps(found, indent=1) if options.json else page(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
