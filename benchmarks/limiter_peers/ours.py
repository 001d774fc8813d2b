"""A process of token-tracking's own limiter, under the same load."""

import asyncio
import time
import tracemalloc

from benchmarks.limiter_peers.load import (
    CALL_TOKENS,
    CALLS,
    Taken,
    Task,
    answer,
    costs,
    started,
    task,
)
from token_tracking.limits import (
    Amount,
    MemoryRateStorage,
    RateKey,
    RateLimit,
    RateLimiter,
    RedisRateStorage,
    WaitTooLongError,
)
from token_tracking.limits.rate.storage import SUB_WINDOWS

TOGETHER = 4
"""How many requests of one process wait at a time."""


async def main() -> None:
    """Do the task."""
    given = task()
    is_redis = given.storage == "redis"
    storage = (
        RedisRateStorage(given.url, window=given.window, prefix=given.key, falls_back=False)
        if is_redis
        else MemoryRateStorage(window=given.window)
    )
    limiter = RateLimiter(lambda key: RateLimit(tokens=given.limit), storage)
    told = await (_speed if given.is_speed else _saturate)(given, limiter)
    await limiter.aclose()
    answer(told)


async def _saturate(given: Task, limiter: RateLimiter) -> dict[str, object]:
    end = (await asyncio.to_thread(started)) + given.seconds
    granted = Taken()
    key, taken, sizes = RateKey("upstream", "model", given.key), Taken(), costs(given.seed)

    async def take() -> None:
        while (left := end - time.time()) > 0:
            cost = next(sizes)
            try:
                got = await limiter.reserve(key, Amount(input_tokens=cost), timeout=left)
            except WaitTooLongError:
                return
            taken.append((time.time(), cost))
            granted.append((got.part * given.window / SUB_WINDOWS, cost))

    await asyncio.gather(*(take() for _ in range(TOGETHER)))
    return {"taken": taken, "granted": granted}


async def _speed(given: Task, limiter: RateLimiter) -> dict[str, object]:
    key, amount = RateKey("upstream", "model", given.key), Amount(input_tokens=CALL_TOKENS)
    started()
    await limiter.reserve(key, amount, timeout=0)
    tracemalloc.start()
    for _ in range(CALLS):
        await limiter.reserve(key, amount, timeout=0)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    begin = time.perf_counter()
    for _ in range(CALLS):
        await limiter.reserve(key, amount, timeout=0)
    return {"microseconds": (time.perf_counter() - begin) / CALLS * 1e6, "bytes": held}


if __name__ == "__main__":
    asyncio.run(main())
