"""The limiter over each storage: order, waits, cancellation, and what a provider teaches it."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Protocol

import pytest

from tests.limits.rate.storages import REDIS_URL, fresh_key, need_redis
from token_tracking.limits import (
    Amount,
    MemoryRateStorage,
    NeverFitsError,
    RateLimit,
    RateLimiter,
    RedisRateStorage,
    Reservation,
    WaitTooLongError,
)

WINDOW = 0.3
"""Seconds: long enough for a test not to see it pass, short enough to wait for it."""


class Limiter(Protocol):
    def __call__(self, limit: RateLimit | None, *, window: float = WINDOW) -> RateLimiter: ...


@pytest.fixture(params=["memory", "redis"])
async def limiter(request: pytest.FixtureRequest) -> AsyncIterator[Limiter]:
    """Make limiters with one limit for every key, over each storage."""
    if request.param == "redis":
        need_redis()
    made: list[RateLimiter] = []

    def make(limit: RateLimit | None, *, window: float = WINDOW) -> RateLimiter:
        storage = (
            RedisRateStorage(REDIS_URL, window=window)
            if request.param == "redis"
            else MemoryRateStorage(window=window)
        )
        made.append(RateLimiter(lambda key: limit, storage, max_waiting=4))
        return made[-1]

    yield make
    for one in made:
        await one.aclose()


def tokens(count: int) -> Amount:
    return Amount(input_tokens=count)


async def waiting(limiter: RateLimiter, count: int) -> None:
    """Until so many wait."""
    while limiter.waiting() != count:
        await asyncio.sleep(0)


async def test_what_fits_passes_without_a_wait(limiter: Limiter) -> None:
    reservation = await limiter(RateLimit(input_tokens=100)).reserve(
        fresh_key(), tokens(100), timeout=0
    )
    assert reservation.waited < WINDOW


async def test_a_request_waits_for_the_window(limiter: Limiter) -> None:
    limits, key = limiter(RateLimit(input_tokens=100)), fresh_key()
    started = time.monotonic()
    await limits.reserve(key, tokens(60), timeout=0)
    reservation = await limits.reserve(key, tokens(60), timeout=5)
    assert time.monotonic() - started >= WINDOW
    assert reservation.waited == pytest.approx(time.monotonic() - started, abs=0.2)


async def test_a_request_that_never_fits_is_refused_at_once(limiter: Limiter) -> None:
    limits = limiter(RateLimit(requests=5, input_tokens=1_000, output_tokens=10, tokens=1_005))
    with pytest.raises(NeverFitsError) as refused:
        await limits.reserve(fresh_key(), tokens(1_001), timeout=60)
    assert (refused.value.limit, refused.value.requested) == (1_000, 1_001)
    assert refused.value.what == "input tokens"
    assert "1,001 input tokens" in str(refused.value)
    with pytest.raises(NeverFitsError, match="1,010 tokens"):
        await limits.reserve(fresh_key(), Amount(input_tokens=1_000, output_tokens=10), timeout=60)


async def test_who_does_not_want_to_wait_is_told_when_there_is_room(limiter: Limiter) -> None:
    limits, key = limiter(RateLimit(input_tokens=100)), fresh_key()
    await limits.reserve(key, tokens(100), timeout=0)
    with pytest.raises(WaitTooLongError) as refused:
        await limits.reserve(key, tokens(1), timeout=0)
    assert 0 < refused.value.retry_after <= WINDOW * 1.03
    assert limits.waiting() == 0


async def test_who_waited_in_vain_leaves_nothing_behind(limiter: Limiter) -> None:
    limits, key = limiter(RateLimit(input_tokens=100)), fresh_key()
    first = await limits.reserve(key, tokens(100), timeout=0)
    with pytest.raises(WaitTooLongError):
        await limits.reserve(key, tokens(90), timeout=0.05)
    await first.refund()
    await limits.reserve(key, tokens(100), timeout=0)


async def test_a_large_request_is_served_before_small_ones_that_came_later(
    limiter: Limiter,
) -> None:
    limits, key = limiter(RateLimit(input_tokens=100)), fresh_key()
    served: list[int] = []

    async def wait_for(count: int) -> None:
        await limits.reserve(key, tokens(count), timeout=5)
        served.append(count)

    held = await limits.reserve(key, tokens(50), timeout=0)
    waits: list[asyncio.Task[None]] = []
    for number, count in enumerate((90, 5, 4, 1), start=1):
        waits.append(asyncio.create_task(wait_for(count)))
        await waiting(limits, number)
    await held.refund()
    await asyncio.gather(*waits)
    assert served == [90, 5, 4, 1]


async def test_one_key_does_not_wait_for_another(limiter: Limiter) -> None:
    limits, key = limiter(RateLimit(input_tokens=100)), fresh_key()
    await limits.reserve(key, tokens(100), timeout=0)
    wait = asyncio.create_task(limits.reserve(key, tokens(100), timeout=5))
    await waiting(limits, 1)
    await limits.reserve(fresh_key(), tokens(100), timeout=0)
    assert not wait.done()
    wait.cancel()
    await asyncio.gather(wait, return_exceptions=True)


async def test_too_many_who_wait_are_refused_at_once(limiter: Limiter) -> None:
    limits, key = limiter(RateLimit(input_tokens=100)), fresh_key()
    held = await limits.reserve(key, tokens(100), timeout=0)
    waits = [asyncio.create_task(limits.reserve(key, tokens(10), timeout=5)) for _ in range(4)]
    await waiting(limits, 4)
    with pytest.raises(WaitTooLongError):
        await limits.reserve(key, tokens(10), timeout=5)
    await held.refund()
    assert len(await asyncio.gather(*waits)) == 4


async def test_a_cancelled_wait_lets_the_next_pass_and_takes_nothing(limiter: Limiter) -> None:
    limits, key = limiter(RateLimit(input_tokens=100)), fresh_key()
    held = await limits.reserve(key, tokens(60), timeout=0)
    large = asyncio.create_task(limits.reserve(key, tokens(80), timeout=5))
    await waiting(limits, 1)
    small = asyncio.create_task(limits.reserve(key, tokens(30), timeout=5))
    await waiting(limits, 2)
    large.cancel()
    with pytest.raises(asyncio.CancelledError):
        await large
    reservation = await asyncio.wait_for(small, WINDOW)
    await reservation.refund()
    await held.refund()
    await limits.reserve(key, tokens(100), timeout=0)


@pytest.mark.parametrize("steps", range(8))
async def test_a_cancel_at_any_moment_takes_nothing(limiter: Limiter, steps: int) -> None:
    limits, key = limiter(RateLimit(input_tokens=100)), fresh_key()
    task = asyncio.create_task(limits.reserve(key, tokens(100), timeout=5))
    for _ in range(steps):
        await asyncio.sleep(0)
    task.cancel()
    (got,) = await asyncio.gather(task, return_exceptions=True)
    if isinstance(got, Reservation):  # it was faster
        await got.refund()
    reservation = await limits.reserve(key, tokens(100), timeout=5)
    assert reservation.waited < WINDOW


async def test_what_was_not_used_is_given_back(limiter: Limiter) -> None:
    limits, key = limiter(RateLimit(input_tokens=100)), fresh_key()
    reservation = await limits.reserve(key, tokens(100), timeout=0)
    await reservation.settle(tokens(30))
    await limits.reserve(key, tokens(70), timeout=0)
    with pytest.raises(WaitTooLongError):
        await limits.reserve(key, tokens(1), timeout=0)


async def test_what_was_used_beyond_the_reservation_is_booked(limiter: Limiter) -> None:
    limits, key = limiter(RateLimit(output_tokens=100)), fresh_key()
    reservation = await limits.reserve(key, Amount(output_tokens=10), timeout=0)
    await reservation.settle(Amount(output_tokens=500))
    with pytest.raises(WaitTooLongError):
        await limits.reserve(key, Amount(output_tokens=1), timeout=0)


async def test_a_reservation_is_settled_only_once(limiter: Limiter) -> None:
    limits, key = limiter(RateLimit(input_tokens=100)), fresh_key()
    other = await limits.reserve(key, tokens(50), timeout=0)
    reservation = await limits.reserve(key, tokens(50), timeout=0)
    await reservation.settle(tokens(40))
    await reservation.refund()
    await reservation.refund()
    with pytest.raises(WaitTooLongError):
        await limits.reserve(key, tokens(11), timeout=0)
    await limits.reserve(key, tokens(10), timeout=0)
    await other.refund()


async def test_a_reservation_that_nobody_settles_expires(limiter: Limiter) -> None:
    limits, key = limiter(RateLimit(requests=1)), fresh_key()
    await limits.reserve(key, Amount(), timeout=0)  # its worker died here
    await limits.reserve(key, Amount(), timeout=5)


async def test_a_key_without_a_limit_never_waits_and_learns_nothing(limiter: Limiter) -> None:
    limits, key = limiter(None), fresh_key()
    learned = limits.learn(key, 429, {"retry-after": "60"})
    assert (learned.kind, learned.retry_after) == ("rate", 60.0)
    reservation = await limits.reserve(key, Amount(requests=10**9), timeout=0)
    await reservation.settle(Amount())


async def test_a_learnt_limit_below_ours_holds_and_one_above_does_not(limiter: Limiter) -> None:
    limits, key = limiter(RateLimit(input_tokens=1_000, output_tokens=500)), fresh_key()
    limits.learn(
        key,
        200,
        {
            "Anthropic-Ratelimit-Input-Tokens-Limit": "400",
            "anthropic-ratelimit-output-tokens-limit": "90000",
        },
    )
    assert limits.limits(key) == (None, 400, 500, None)
    with pytest.raises(NeverFitsError):
        await limits.reserve(key, tokens(401), timeout=0)


async def test_others_use_of_the_same_key_is_counted(limiter: Limiter) -> None:
    limits, key = limiter(RateLimit()), fresh_key()
    reservation = await limits.reserve(key, Amount(input_tokens=10), timeout=0)
    headers = {
        "x-ratelimit-limit-tokens": "6000",
        "x-ratelimit-remaining-tokens": "500",
        "x-ratelimit-reset-tokens": "55s",
    }
    limits.learn(key, 200, headers)
    await reservation.settle(Amount(input_tokens=10))
    with pytest.raises(WaitTooLongError):
        await limits.reserve(key, Amount(input_tokens=501), timeout=0)
    await limits.reserve(key, Amount(input_tokens=500), timeout=0)


async def test_after_a_429_nothing_is_sent_until_the_provider_said(limiter: Limiter) -> None:
    limits, key = limiter(RateLimit()), fresh_key()
    limits.learn(key, 429, {"retry-after-ms": "150"})
    with pytest.raises(WaitTooLongError) as refused:
        await limits.reserve(key, tokens(1), timeout=0.1)
    assert 0.05 < refused.value.retry_after <= 0.15
    reservation = await limits.reserve(key, tokens(1), timeout=1)
    assert reservation.waited >= 0.1


async def test_a_pause_that_is_learnt_while_others_wait_refuses_those_without_the_time(
    limiter: Limiter,
) -> None:
    limits, key = limiter(RateLimit(requests=1), window=10), fresh_key()
    await limits.reserve(key, Amount(), timeout=0)
    wait = asyncio.create_task(limits.reserve(key, Amount(), timeout=8))
    await waiting(limits, 1)
    limits.learn(key, 429, {"retry-after": "30"})
    started = time.monotonic()
    with pytest.raises(WaitTooLongError):
        await wait
    assert time.monotonic() - started < 2


RPM_TEXT = (
    b'{"error": {"message": "Rate limit reached for x on requests per min (RPM): Limit 1, Used 1,'
    b' Requested 1."}}'
)


async def test_a_limit_that_is_learnt_holds_for_those_who_wait_already(limiter: Limiter) -> None:
    limits, key = limiter(RateLimit(requests=3)), fresh_key()
    at: list[float] = []

    async def wait() -> None:
        await limits.reserve(key, Amount(), timeout=10)
        at.append(time.monotonic())

    for _ in range(3):
        await limits.reserve(key, Amount(), timeout=0)
    waits = [asyncio.create_task(wait()) for _ in range(3)]
    await waiting(limits, 3)
    limits.learn(key, 429, {}, RPM_TEXT)
    await asyncio.gather(*waits)
    assert min(at[1] - at[0], at[2] - at[1]) >= WINDOW / 2


async def test_who_waits_and_is_larger_than_a_limit_that_is_learnt_is_refused_at_once(
    limiter: Limiter,
) -> None:
    limits, key = limiter(RateLimit(input_tokens=1_000), window=30), fresh_key()
    await limits.reserve(key, tokens(600), timeout=0)
    large = asyncio.create_task(limits.reserve(key, tokens(900), timeout=60))
    await waiting(limits, 1)
    small = asyncio.create_task(limits.reserve(key, tokens(100), timeout=60))
    await waiting(limits, 2)
    for _ in range(20):
        await asyncio.sleep(0)  # nothing is under way any more that would ask anyway
    limits.learn(key, 200, {"anthropic-ratelimit-input-tokens-limit": "800"})
    with pytest.raises(NeverFitsError) as refused:
        await asyncio.wait_for(large, 5)
    assert (refused.value.limit, refused.value.requested) == (800, 900)
    assert (await asyncio.wait_for(small, 5)).waited < 5


async def test_a_day_that_is_used_up_is_waited_for_by_nobody(limiter: Limiter) -> None:
    limits, key = limiter(RateLimit()), fresh_key()
    body = RPM_TEXT.replace(b"RPM", b"RPD")
    limits.learn(key, 429, {"retry-after": "864"}, body)
    with pytest.raises(WaitTooLongError) as refused:
        await limits.reserve(key, Amount(), timeout=60)
    assert 800 < refused.value.retry_after <= 864


async def test_an_overloaded_provider_pauses_nothing(limiter: Limiter) -> None:
    limits, key = limiter(RateLimit()), fresh_key()
    assert limits.learn(key, 529, {"retry-after": "30"}).kind is None
    await limits.reserve(key, tokens(1), timeout=0)
