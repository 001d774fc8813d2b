"""A Redis that is not there, hangs, or comes back."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator

import pytest

from tests.limits.rate.storages import REDIS_URL, fresh_key, need_redis
from token_tracking.limits import (
    Amount,
    RateLimit,
    RateLimiter,
    RateStorageError,
    RedisRateStorage,
    WaitTooLongError,
)

NOWHERE = "redis://user:very-secret@127.0.0.1:1"


def limiter(storage: RedisRateStorage) -> RateLimiter:
    return RateLimiter(lambda key: RateLimit(input_tokens=100), storage)


@pytest.fixture
async def silent() -> AsyncIterator[str]:
    """The address of something that accepts and never answers."""
    ends: list[asyncio.StreamWriter] = []

    async def hold(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends.append(writer)

    server = await asyncio.start_server(hold, "127.0.0.1")
    yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()
    for end in ends:
        end.close()


async def test_without_redis_each_process_counts_alone_and_says_so_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    storage = RedisRateStorage(NOWHERE)
    limits, key = limiter(storage), fresh_key()
    with caplog.at_level(logging.WARNING):
        reservation = await limits.reserve(key, Amount(input_tokens=100), timeout=0)
        with pytest.raises(WaitTooLongError):
            await limits.reserve(key, Amount(input_tokens=1), timeout=0)
        await reservation.refund()
        await limits.reserve(key, Amount(input_tokens=100), timeout=0)
    assert storage.problem
    assert len(caplog.records) == 1
    assert "very-secret" not in caplog.text
    await limits.aclose()


async def test_where_it_must_not_fall_back_it_raises() -> None:
    storage = RedisRateStorage(NOWHERE, falls_back=False)
    limits = limiter(storage)
    for _ in range(2):
        with pytest.raises(RateStorageError) as refused:
            await limits.reserve(fresh_key(), Amount(input_tokens=100), timeout=5)
        assert "very-secret" not in str(refused.value)
    assert limits.waiting() == 0
    await limits.aclose()


async def test_settling_never_fails_the_request_that_was_answered() -> None:
    need_redis()
    storage = RedisRateStorage(REDIS_URL, falls_back=False)
    limits = limiter(storage)
    reservation = await limits.reserve(fresh_key(), Amount(input_tokens=90), timeout=0)
    storage._down_until = time.monotonic() + 60  # pyright: ignore[reportPrivateUsage]
    await reservation.settle(Amount(input_tokens=10))
    await limits.aclose()


async def test_a_redis_that_hangs_holds_a_request_only_a_moment(silent: str) -> None:
    limits = limiter(RedisRateStorage(silent, answer_seconds=0.1))
    started = time.monotonic()
    await limits.reserve(fresh_key(), Amount(input_tokens=100), timeout=0)
    assert time.monotonic() - started < 1.0
    await limits.aclose()


async def test_a_reservation_from_redis_is_settled_while_it_is_down_and_back_again() -> None:
    need_redis()
    storage = RedisRateStorage(REDIS_URL)
    limits, key = limiter(storage), fresh_key()
    first = await limits.reserve(key, Amount(input_tokens=90), timeout=0)
    storage._down_until = time.monotonic() + 60  # pyright: ignore[reportPrivateUsage]
    alone = await limits.reserve(key, Amount(input_tokens=100), timeout=0)
    await first.refund()  # it is not known here
    with pytest.raises(WaitTooLongError):
        await limits.reserve(key, Amount(input_tokens=1), timeout=0)
    storage._down_until = 0  # pyright: ignore[reportPrivateUsage]
    await alone.settle(Amount(input_tokens=10))  # nor is this there
    with pytest.raises(WaitTooLongError):
        await limits.reserve(key, Amount(input_tokens=11), timeout=0)
    await limits.reserve(key, Amount(input_tokens=10), timeout=0)
    await limits.aclose()


async def test_who_waits_keeps_waiting_when_redis_goes_and_forgets() -> None:
    need_redis()
    storage = RedisRateStorage(REDIS_URL, window=0.3)
    limits, key = limiter(storage), fresh_key()
    await limits.reserve(key, Amount(input_tokens=100), timeout=0)
    wait = asyncio.create_task(limits.reserve(key, Amount(input_tokens=100), timeout=5))
    while not limits.waiting():
        await asyncio.sleep(0)
    names = storage._names(key)  # pyright: ignore[reportPrivateUsage]
    assert await storage._redis.delete(*names)  # pyright: ignore[reportPrivateUsage, reportUnknownMemberType]
    await asyncio.wait_for(wait, 1)
    await limits.aclose()
