"""pyrate-limiter's algorithms."""

# pyright: basic, reportMissingImports=false
from collections.abc import Callable
from typing import Any

from pyrate_limiter import (
    GCRA,
    InMemoryBucket,
    InMemoryStateStore,
    Limiter,
    Rate,
    RedisBucket,
    RedisStateStore,
    StateBucket,
)
from redis import Redis

from benchmarks.limiter_peers.load import Task


def opened(task: Task, way: str) -> Callable[[int], bool]:
    """What takes a number of tokens, or says that it cannot now."""
    rates = [Rate(task.limit, task.window * 1_000)]
    redis = Redis.from_url(task.url) if task.storage == "redis" else None
    bucket: Any
    if way == "gcra":
        store = RedisStateStore(redis, task.key) if redis else InMemoryStateStore()
        bucket = StateBucket(rates, GCRA(), store)
    else:
        bucket = RedisBucket.init(rates, redis, task.key) if redis else InMemoryBucket(rates)
    limiter = Limiter(bucket)
    return lambda tokens: bool(limiter.try_acquire(task.key, weight=tokens, blocking=False))
