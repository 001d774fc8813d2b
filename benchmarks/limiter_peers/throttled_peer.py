"""throttled-py's limiters."""

# pyright: basic, reportMissingImports=false
from collections.abc import Callable
from datetime import timedelta

from throttled import Throttled, store
from throttled.rate_limiter import per_duration

from benchmarks.limiter_peers.load import Task


def opened(task: Task, way: str) -> Callable[[int], bool]:
    """What takes a number of tokens, or says that it cannot now."""
    is_redis = task.storage == "redis"
    limiter = Throttled(
        key=task.key,
        using=way,
        quota=per_duration(timedelta(seconds=task.window), task.limit, burst=task.limit),
        store=store.RedisStore(server=task.url) if is_redis else store.MemoryStore(),
    )
    return lambda tokens: not limiter.limit(cost=tokens).limited
