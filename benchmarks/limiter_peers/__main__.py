"""A process of one library. It imports nothing of token-tracking."""

from importlib import import_module
from typing import Any

from benchmarks.limiter_peers.load import answer, saturate, speed, started, task


def main() -> None:
    """Do the task."""
    given = task()
    library, _, way = given.peer.partition("_")
    module: Any = import_module(f"benchmarks.limiter_peers.{library}_peer")
    take = module.opened(given, way)
    if given.is_speed:
        started()
        answer(speed(take))
    else:
        answer({"taken": saturate(given, take)})


if __name__ == "__main__":
    main()
