"""Alerts: once per window and level, whoever raises them, and never in a request's way."""

import asyncio
import logging
import multiprocessing
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.limits.quotas.clocks import Clock, ms
from token_tracking.limits import (
    Alert,
    Alerts,
    LogSink,
    Quota,
    QuotaExceededError,
    Quotas,
    Spender,
    recent_alerts,
)

ANNA = Spender(user="anna")


class Kept:
    """A sink that keeps what it is told."""

    def __init__(self) -> None:
        self.alerts: list[Alert] = []
        self.is_told = asyncio.Event()

    async def tell(self, alert: Alert) -> None:
        self.alerts.append(alert)
        self.is_told.set()

    @property
    def levels(self) -> list[tuple[str, str, float]]:
        return [(each.name, each.kind, each.share) for each in self.alerts]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "limits.db"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
async def alerts(path: Path, clock: Clock, kept: Kept) -> AsyncIterator[Alerts]:
    alerts = Alerts(path, [kept], clock=clock)
    yield alerts
    await alerts.aclose()


async def opened(
    path: Path, clock: Clock, alerts: Alerts | None = None, **fields: object
) -> Quotas:
    given = {"tokens": 1000, "alert_at": (0.5, 0.8, 1.0), **fields}
    quota = Quota(subject="user", period="day", **given)  # pyright: ignore[reportArgumentType]
    return await Quotas.open(path, [quota], timezone=ZoneInfo("UTC"), alerts=alerts, clock=clock)


async def spend(quotas: Quotas, tokens: int, usd: Decimal | None = None) -> None:
    await (await quotas.reserve(ANNA, tokens=0, usd=usd)).settle(tokens, usd)


async def told(alerts: Alerts) -> None:
    """Until all is delivered, also by the task that a quota woke."""
    await alerts.tell()
    await alerts.aclose()


async def test_each_level_is_told_once_in_a_window_and_again_in_the_next(
    path: Path, clock: Clock, kept: Kept, alerts: Alerts
):
    async with await opened(path, clock, alerts, is_hard=False) as quotas:
        for tokens in (499, 1, 100, 300, 300):
            await spend(quotas, tokens)
            await told(alerts)
        assert kept.levels == [
            ("anna", "share", 0.5),
            ("anna", "share", 0.8),
            ("anna", "share", 1.0),
        ]
        clock.set("2026-07-16T00:00:00")
        await spend(quotas, 900)
        await told(alerts)
    assert kept.levels[3:] == [("anna", "share", 0.5), ("anna", "share", 0.8)]


async def test_a_refusal_is_told_once_in_a_window(
    path: Path, clock: Clock, kept: Kept, alerts: Alerts
):
    async with await opened(path, clock, alerts, alert_at=()) as quotas:
        for _ in range(3):
            with pytest.raises(QuotaExceededError):
                await quotas.reserve(ANNA, tokens=1001, usd=None)
    await kept.is_told.wait()
    await alerts.tell()
    assert kept.levels == [("anna", "refused", 1.0)]
    assert str(kept.alerts[0]) == (
        "user anna: requests are refused by the hard quota of 1,000 tokens per day; 0 tokens used,"
        " resets at 2026-07-16 00:00 UTC"
    )


async def test_tokens_and_dollars_have_levels_of_their_own(
    path: Path, clock: Clock, kept: Kept, alerts: Alerts
):
    async with await opened(path, clock, usd=Decimal(1), alert_at=(0.5,), is_hard=False) as quotas:
        await spend(quotas, 500, Decimal("0.5"))
    await alerts.tell()
    assert [(each.measure, each.used, each.limit) for each in kept.alerts] == [
        ("tokens", 500, 1000),
        ("usd", Decimal("0.5"), Decimal(1)),
    ]
    assert "$0.50 used" in str(kept.alerts[1])


async def test_a_request_wakes_the_delivery_and_does_not_wait_for_it(
    path: Path, clock: Clock, kept: Kept
):
    hanging = asyncio.Event()

    class Slow:
        async def tell(self, alert: Alert) -> None:
            await hanging.wait()

    alerts = Alerts(path, [Slow(), kept], clock=clock)
    async with await opened(path, clock, alerts, is_hard=False) as quotas:
        await spend(quotas, 600)
        await kept.is_told.wait()
        await spend(quotas, 600)
    hanging.set()
    await alerts.aclose()
    assert kept.levels[0] == ("anna", "share", 0.5)


async def test_a_sink_that_fails_holds_up_no_other_and_its_words_are_not_logged(
    path: Path, clock: Clock, kept: Kept, caplog: pytest.LogCaptureFixture
):
    class Failing:
        async def tell(self, alert: Alert) -> None:
            raise RuntimeError("https://hooks.example/s3cret")

    alerts = Alerts(path, [Failing(), kept], clock=clock)
    async with await opened(path, clock, is_hard=False) as quotas:
        await spend(quotas, 500)
    assert await alerts.tell() == 1
    assert kept.levels == [("anna", "share", 0.5)]
    assert "RuntimeError" in caplog.text
    assert "s3cret" not in caplog.text


async def test_what_a_process_left_untold_when_it_died_is_told_by_another(
    path: Path, clock: Clock, kept: Kept
):
    class Dying:
        async def tell(self, alert: Alert) -> None:
            raise asyncio.CancelledError

    async with await opened(path, clock, is_hard=False) as quotas:
        await spend(quotas, 500)
    with pytest.raises(asyncio.CancelledError):
        await Alerts(path, [Dying()], clock=clock).tell()
    other = Alerts(path, [kept], clock=clock)
    assert await other.tell() == 0
    clock.at += 301
    assert await other.tell() == 1
    assert await other.tell() == 0
    assert kept.levels == [("anna", "share", 0.5)]


async def test_what_is_older_than_a_day_is_news_no_more_but_stands_in_the_file(
    path: Path, clock: Clock, alerts: Alerts
):
    async with await opened(path, clock, is_hard=False) as quotas:
        await spend(quotas, 500)
    clock.set("2026-07-17T12:00:00")
    assert await alerts.tell() == 0
    assert [each.share for each in recent_alerts(path)] == [0.5]


async def test_recent_alerts_are_the_newest_first(path: Path, clock: Clock):
    assert recent_alerts(path) == []
    async with await opened(path, clock, is_hard=False) as quotas:
        await spend(quotas, 500)
        clock.at += 60
        await spend(quotas, 400)
    assert [each.share for each in recent_alerts(path)] == [0.8, 0.5]
    assert [each.share for each in recent_alerts(path, limit=1)] == [0.8]
    assert recent_alerts(path)[0].resets_at == ms("2026-07-16T00:00:00")


def tell_all(path: Path, told: "multiprocessing.Queue[int]") -> None:
    """A process that delivers what it can get."""
    told.put(asyncio.run(Alerts(path, [LogSink()], clock=Clock()).tell()))


async def test_processes_that_tell_at_once_tell_each_alert_once(path: Path, clock: Clock):
    async with await opened(path, clock, is_hard=False) as quotas:
        await spend(quotas, 1000)
    context = multiprocessing.get_context("spawn")
    told: multiprocessing.Queue[int] = context.Queue()
    processes = [context.Process(target=tell_all, args=(path, told)) for _ in range(3)]
    for process in processes:
        process.start()
    counts = [await asyncio.to_thread(told.get, True, 30) for _ in processes]
    for process in processes:
        process.join()
    told.close()
    told.join_thread()
    assert sorted(counts) == [0, 0, 3]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM alerts WHERE told_at > 0").fetchone() == (
            3,
        )


async def test_the_log_says_the_level_in_words(
    path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
):
    async with await opened(path, clock, is_hard=False) as quotas:
        await spend(quotas, 850)
    with caplog.at_level(logging.WARNING):
        await Alerts(path, clock=clock).tell()
    end = "passed; 850 tokens used, resets at 2026-07-16 00:00 UTC"
    assert caplog.messages == [
        f"user anna: 50% of the quota of 1,000 tokens per day {end}",
        f"user anna: 80% of the quota of 1,000 tokens per day {end}",
    ]
