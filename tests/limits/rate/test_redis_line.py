"""The line in Redis, before which several processes stand."""

from collections.abc import AsyncIterator

import pytest

from tests.limits.rate.storages import REDIS_URL, fresh_key, ids, minus, need_redis
from token_tracking.limits import RateKey, RedisRateStorage
from token_tracking.limits.rate import redis_storage
from token_tracking.limits.rate.storage import Change, Heard, Told, Wish, Work

LIMITS = (None, 100, None, None)


class Processes:
    """Turns of several owners of one key."""

    def __init__(self, storage: RedisRateStorage, key: RateKey) -> None:
        self.storage, self.key = storage, key

    async def ask(self, owner: str, *wishes: Wish) -> Told:
        return await self.storage.turn(self.key, owner, Work(limits=LIMITS, wishes=wishes))

    async def give_back(self, owner: str, wish: Wish, told: Told) -> Told:
        change = Change(told.granted[0].part, minus(wish.counts))
        return await self.storage.turn(self.key, owner, Work(limits=LIMITS, changes=(change,)))

    async def leave(self, owner: str, wish: Wish) -> Told:
        return await self.storage.turn(self.key, owner, Work(limits=LIMITS, left=(wish,)))


def wish(name: str, tokens: int) -> Wish:
    return Wish(name, (1, tokens, 0, tokens))


@pytest.fixture
async def processes() -> AsyncIterator[Processes]:
    """A key that others share, with windows that no test sees the end of."""
    need_redis()
    storage = RedisRateStorage(REDIS_URL, window=30, falls_back=False)
    yield Processes(storage, fresh_key())
    await storage.aclose()


async def test_a_large_request_of_one_is_not_overtaken_by_small_ones_of_another(
    processes: Processes,
) -> None:
    held = wish("held", 50)
    told = await processes.ask("a", held)
    assert ids(told) == ["held"]
    assert (await processes.ask("b", wish("large", 90))).waiting == 1
    assert not (await processes.ask("a", wish("small", 20))).granted
    assert not (await processes.give_back("a", held, told)).granted  # large has gone, small waits
    assert ids(await processes.ask("b")) == ["large"]
    assert (await processes.ask("a")).waiting == 1


async def test_what_is_given_back_serves_all_that_fit_and_each_hears_of_its_own(
    processes: Processes,
) -> None:
    held = wish("held", 100)
    told = await processes.ask("a", held)
    await processes.ask("b", wish("b1", 30), wish("b2", 30))
    await processes.ask("c", wish("c1", 30))
    await processes.ask("b", wish("b3", 30))
    await processes.give_back("a", held, told)
    assert ids(await processes.ask("c")) == ["c1"]
    heard = await processes.ask("b")
    assert (ids(heard), heard.waiting) == (["b1", "b2"], 1)
    assert not (await processes.ask("b")).granted  # nobody hears twice


async def test_who_leaves_after_it_was_granted_gives_it_back(processes: Processes) -> None:
    held, gone = wish("held", 100), wish("gone", 100)
    told = await processes.ask("a", held)
    await processes.ask("b", gone)
    await processes.give_back("a", held, told)
    assert not (await processes.leave("b", gone)).granted
    assert ids(await processes.ask("c", wish("next", 100))) == ["next"]


async def test_who_leaves_the_line_lets_the_next_pass(processes: Processes) -> None:
    large = wish("large", 90)
    await processes.ask("a", wish("held", 50))
    await processes.ask("b", large)
    await processes.ask("c", wish("small", 10))
    await processes.leave("b", large)
    assert ids(await processes.ask("c")) == ["small"]


async def test_a_wish_that_is_told_twice_stands_in_the_line_once(processes: Processes) -> None:
    held, again = wish("held", 100), wish("again", 60)
    told = await processes.ask("a", held)
    for _ in range(3):
        assert (await processes.ask("b", again)).waiting == 1
    await processes.give_back("a", held, told)
    assert ids(await processes.ask("b")) == ["again"]
    assert ids(await processes.ask("c", wish("rest", 40))) == ["rest"]


async def test_a_process_that_died_holds_nobody_up(
    processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_storage, "SILENT_SECONDS", 0.0)
    monkeypatch.setattr(processes.storage, "poll", 0.001)  # 10 ms of silence
    await processes.ask("a", wish("held", 50))
    await processes.ask("dead", wish("large", 90))
    told = await processes.ask("c", wish("small", 10))
    for _ in range(1_000):
        if told.granted:
            break
        told = await processes.ask("c")
    assert ids(told) == ["small"]


async def test_each_is_told_how_long_its_own_wish_waits(processes: Processes) -> None:
    await processes.ask("a", wish("held", 60))
    first = await processes.ask("b", wish("b1", 60))
    assert 30 <= first.wait <= 30.7
    assert (await processes.ask("a")).wait > 0


async def test_who_waits_is_held_to_the_limits_that_its_process_told_last(
    processes: Processes,
) -> None:
    held, b1, b2 = wish("held", 100), wish("b1", 40), wish("b2", 40)
    told = await processes.ask("a", held)
    await processes.ask("b", b1, b2)
    lower = Work(limits=(None, 50, None, None))
    await processes.storage.turn(processes.key, "b", lower)
    await processes.give_back("a", held, told)  # a knows of no lower limit
    assert ids(await processes.storage.turn(processes.key, "b", lower)) == ["b1"]


async def part_after(processes: Processes, part: int) -> int:
    """The first part of the window after that one, by Redis' clock."""
    for number in range(100_000):
        told = await processes.ask("clock", wish(f"tick{number}", 0))
        if told.granted[0].part > part:
            return told.granted[0].part
    raise AssertionError("its clock stands still")


async def test_a_grant_that_is_heard_late_counts_from_then(processes: Processes) -> None:
    processes.storage.window = 2.0  # parts of 20 ms
    held, late = wish("held", 100), wish("late", 100)
    told = await processes.ask("a", held)
    await processes.ask("b", late)
    await processes.give_back("a", held, told)
    now = await part_after(processes, (await processes.ask("a", wish("x", 0))).granted[0].part)
    heard = await processes.ask("b")
    assert ids(heard) == ["late"]
    assert heard.granted[0].part >= now
    assert not (await processes.ask("c", wish("next", 1))).granted  # it counts once, and still
    assert ids(await processes.give_back("b", late, heard)) == []
    assert ids(await processes.ask("c")) == ["next"]


async def test_the_clock_of_a_key_never_goes_back(processes: Processes) -> None:
    before = (await processes.ask("a", wish("before", 60))).granted[0].part
    counts, _ = processes.storage._names(processes.key)  # pyright: ignore[reportPrivateUsage]
    redis = processes.storage._redis  # pyright: ignore[reportPrivateUsage]
    known = float(await redis.hget(counts, "now"))  # pyright: ignore[reportUnknownMemberType, reportArgumentType, reportGeneralTypeIssues]
    later = str(round(known + 5e6))  # as after a failover to a server whose clock is behind
    await redis.hset(counts, "now", later)  # pyright: ignore[reportUnknownMemberType, reportGeneralTypeIssues]
    after = (await processes.ask("a", wish("after", 40))).granted[0].part
    assert after >= before + 16
    assert not (await processes.ask("a", wish("more", 1))).granted


async def test_nothing_is_kept_after_the_windows(processes: Processes) -> None:
    await processes.ask("a", wish("held", 60))
    await processes.ask("b", wish("waits", 60))
    names = processes.storage._names(processes.key)  # pyright: ignore[reportPrivateUsage]
    for name in names:
        lives = await processes.storage._redis.pttl(name)  # pyright: ignore[reportPrivateUsage, reportUnknownMemberType]
        assert 30_000 < lives < 100_000


async def test_a_pause_is_kept_until_it_is_over(processes: Processes) -> None:
    heard = Work(limits=LIMITS, heard=Heard(pause=864.0))
    await processes.storage.turn(processes.key, "a", heard)
    await processes.ask("a", wish("waits", 60))
    for name in processes.storage._names(processes.key):  # pyright: ignore[reportPrivateUsage]
        lives = await processes.storage._redis.pttl(name)  # pyright: ignore[reportPrivateUsage, reportUnknownMemberType]
        assert lives > 864_000
