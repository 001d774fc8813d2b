"""The strategies of `limits`."""

# pyright: basic, reportMissingImports=false
from collections.abc import Callable

from limits import RateLimitItemPerSecond, storage, strategies

from benchmarks.limiter_peers.load import Task

WAYS = {
    "moving": strategies.MovingWindowRateLimiter,
    "sliding": strategies.SlidingWindowCounterRateLimiter,
}


def opened(task: Task, way: str) -> Callable[[int], bool]:
    """What takes a number of tokens, or says that it cannot now."""
    is_redis = task.storage == "redis"
    limiter = WAYS[way](storage.RedisStorage(task.url) if is_redis else storage.MemoryStorage())
    item = RateLimitItemPerSecond(task.limit, task.window)
    return lambda tokens: limiter.hit(item, task.key, cost=tokens)
