"""Quotas: what is let through, what is booked, and when it begins anew."""

import asyncio
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.limits.quotas.clocks import Clock, ms
from tests.limits.quotas.spenders import LIMIT
from token_tracking.errors import StoreError
from token_tracking.limits import (
    InvalidQuotaError,
    Quota,
    QuotaExceededError,
    Quotas,
    QuotaStatus,
    Spender,
    Spending,
    UnpricedModelError,
    read_status,
)

ANNA, BEN = Spender(user="anna"), Spender(user="ben")
DAY = Quota(subject="user", period="day", tokens=1000)
DOLLARS = Quota(subject="user", period="day", usd=Decimal("0.10"))

Opening = Callable[..., Awaitable[Quotas]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "limits.db"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def opening(path: Path, clock: Clock) -> AsyncIterator[Opening]:
    """Opens quotas over one file, as often as a test asks."""
    found: list[Quotas] = []

    async def opened(*quotas: Quota, zone: str = "UTC") -> Quotas:
        found.append(await Quotas.open(path, quotas, timezone=ZoneInfo(zone), clock=clock))
        return found[-1]

    yield opened
    for quotas in found:
        await quotas.aclose()


async def spend(quotas: Quotas, spender: Spender, tokens: int, usd: Decimal | None = None) -> None:
    spending = await quotas.reserve(spender, tokens=tokens, usd=usd)
    await spending.settle(tokens, usd)


async def only(quotas: Quotas) -> QuotaStatus:
    (status,) = await quotas.status()
    return status


async def test_what_was_used_is_refused_beyond_the_limit_and_says_what_to_do(opening: Opening):
    quotas = await opening(DAY)
    await spend(quotas, ANNA, 900)
    with pytest.raises(QuotaExceededError) as caught:
        await quotas.reserve(ANNA, tokens=101, usd=None)
    assert str(caught.value) == (
        "The quota of user 'anna' is 1,000 tokens per day: 900 tokens used, 0 tokens held by"
        " requests under way, and this request may take 101 tokens. Ask for less (max_tokens),"
        " wait, or raise the quota. The quota resets at 2026-07-16 00:00+00:00."
    )
    assert (caught.value.used, caught.value.limit) == (900, 1000)
    assert caught.value.resets_at == ms("2026-07-16T00:00:00")


async def test_exactly_the_limit_may_be_used_and_then_nothing(opening: Opening):
    quotas = await opening(DAY)
    await spend(quotas, ANNA, 1000)
    with pytest.raises(QuotaExceededError, match=r"Wait, or raise the quota"):
        await quotas.reserve(ANNA, tokens=0, usd=None)


async def test_a_request_larger_than_the_quota_is_told_so(opening: Opening):
    quotas = await opening(DAY)
    with pytest.raises(QuotaExceededError, match="more than all of it"):
        await quotas.reserve(ANNA, tokens=1001, usd=None)


async def test_what_is_held_counts_until_it_is_settled_or_refunded(opening: Opening):
    quotas = await opening(DAY)
    first = await quotas.reserve(ANNA, tokens=600, usd=None)
    with pytest.raises(QuotaExceededError, match="may fit when those are answered"):
        await quotas.reserve(ANNA, tokens=600, usd=None)
    assert ((await only(quotas)).used, (await only(quotas)).reserved) == (0, 600)
    await first.settle(300, None)
    second = await quotas.reserve(ANNA, tokens=600, usd=None)
    await second.refund()
    assert ((await only(quotas)).used, (await only(quotas)).reserved) == (300, 0)


async def test_ending_twice_books_once(opening: Opening):
    quotas = await opening(DAY)
    spending = await quotas.reserve(ANNA, tokens=100, usd=None)
    await spending.settle(50, None)
    await spending.settle(50, None)
    await spending.refund()
    assert (await only(quotas)).used == 50


async def test_more_than_was_reserved_is_booked_all_the_same(opening: Opening):
    quotas = await opening(DAY)
    spending = await quotas.reserve(ANNA, tokens=900, usd=None)
    await spending.settle(1200, None)
    assert ((await only(quotas)).used, (await only(quotas)).share) == (1200, 1.2)


async def test_each_name_has_its_own_account_and_a_named_quota_replaces_that_for_each(
    opening: Opening,
):
    large = Quota(subject="user", period="day", name="ben", tokens=5000)
    quotas = await opening(DAY, large)
    await spend(quotas, ANNA, 1000)
    await spend(quotas, BEN, 4000)
    await spend(quotas, Spender(user="cleo"), 1000)
    assert [(each.name, each.used, each.limit) for each in await quotas.status()] == [
        ("anna", 1000, 1000),
        ("cleo", 1000, 1000),
        ("ben", 4000, 5000),
    ]


async def test_requests_that_name_nobody_share_one_account(opening: Opening):
    quotas = await opening(DAY)
    await spend(quotas, Spender(), 600)
    with pytest.raises(QuotaExceededError, match="requests that name no user"):
        await quotas.reserve(Spender(agent="any"), tokens=600, usd=None)


async def test_every_quota_that_applies_has_to_have_room_or_none_is_held(opening: Opening):
    quotas = await opening(
        DAY,
        Quota(subject="project", period="week", tokens=500),
        Quota(subject="key", period="month", tokens=10_000),
    )
    with pytest.raises(QuotaExceededError, match="project 'p'"):
        await quotas.reserve(Spender(user="anna", project="p", key="1f"), tokens=501, usd=None)
    assert [each.reserved for each in await quotas.status()] == [0, 0]


async def test_a_soft_quota_counts_and_never_refuses(opening: Opening):
    quotas = await opening(Quota(subject="user", period="day", tokens=10, is_hard=False))
    await spend(quotas, ANNA, 1000)
    assert (await only(quotas)).share == 100


async def test_dollars_are_exact_to_the_pico(opening: Opening):
    quotas = await opening(DOLLARS)
    for _ in range(3):
        await spend(quotas, ANNA, 1, Decimal("0.033333333333"))
    assert (await only(quotas)).used == Decimal("0.099999999999")
    await spend(quotas, ANNA, 1, Decimal("0.000000000001"))
    with pytest.raises(QuotaExceededError, match=r"\$0\.10 used"):
        await quotas.reserve(ANNA, tokens=1, usd=Decimal(0))


async def test_an_unpriced_model_is_refused_by_a_hard_quota_of_dollars(opening: Opening):
    quotas = await opening(DOLLARS)
    with pytest.raises(UnpricedModelError, match="allows_unpriced"):
        await quotas.reserve(ANNA, tokens=1, usd=None)


async def test_where_unpriced_models_are_allowed_they_are_counted_beside_the_dollars(
    opening: Opening,
):
    quotas = await opening(
        Quota(subject="user", period="day", usd=Decimal(1), allows_unpriced=True)
    )
    await spend(quotas, ANNA, 1, None)
    status = await only(quotas)
    assert (status.used, status.requests, status.unpriced) == (0, 1, 1)


async def test_where_the_bill_is_not_known_what_was_reserved_counts_as_estimated(opening: Opening):
    quotas = await opening(DOLLARS)
    spending = await quotas.reserve(ANNA, tokens=70, usd=Decimal("0.05"))
    await spending.settle(None, None)
    status = await only(quotas)
    assert (status.used, status.estimated, status.unpriced) == (Decimal("0.05"), 1, 0)


@pytest.mark.parametrize(
    ("period", "resets", "before", "after"),
    [
        ("day", "2026-07-15T22:00:00", "2026-07-15T21:59:59", "2026-07-15T22:00:00"),
        ("week", "2026-07-19T22:00:00", "2026-07-19T21:59:59", "2026-07-19T22:00:00"),
        ("month", "2026-07-31T22:00:00", "2026-07-31T21:59:59", "2026-07-31T22:00:00"),
    ],
)
async def test_a_window_ends_at_midnight_of_the_zone(
    opening: Opening, clock: Clock, period: str, resets: str, before: str, after: str
):
    quotas = await opening(
        Quota(subject="user", period=period, tokens=1000),  # pyright: ignore[reportArgumentType]
        zone="Europe/Berlin",
    )
    await spend(quotas, ANNA, 1000)
    assert (await only(quotas)).resets_at == ms(resets)
    clock.set(before)
    with pytest.raises(QuotaExceededError):
        await quotas.reserve(ANNA, tokens=1, usd=None)
    clock.set(after)
    await spend(quotas, ANNA, 1000)


async def test_a_day_on_which_the_clocks_change_is_as_long_as_it_is(opening: Opening, clock: Clock):
    clock.set("2026-10-25T12:00:00")
    quotas = await opening(DAY, zone="Europe/Berlin")
    await spend(quotas, ANNA, 1)
    status = await only(quotas)
    assert status.resets_at - status.starts_at == 25 * 3_600_000


async def test_a_request_over_midnight_counts_in_the_day_in_which_it_began(
    opening: Opening, clock: Clock
):
    clock.set("2026-07-15T23:59:00")
    quotas = await opening(DAY)
    spending = await quotas.reserve(ANNA, tokens=1000, usd=None)
    clock.set("2026-07-16T00:01:00")
    await spending.settle(1000, None)
    await spend(quotas, ANNA, 400)
    assert (await only(quotas)).used == 400


async def test_what_was_used_outlives_the_process_and_a_change_of_the_limit(opening: Opening):
    await spend(await opening(DAY), ANNA, 800)
    quotas = await opening(Quota(subject="user", period="day", tokens=2000))
    status = await only(quotas)
    assert (status.used, status.limit) == (800, 2000)


async def test_without_a_quota_nothing_is_written(opening: Opening, path: Path):
    quotas = await opening()
    await spend(quotas, ANNA, 10**9)
    assert await quotas.status() == []
    assert not path.exists()


async def test_where_none_applies_the_file_is_not_asked(opening: Opening, path: Path):
    quotas = await opening(Quota(subject="user", period="day", name="ben", tokens=1))
    await quotas.aclose()  # whoever asked the file now would fail
    await spend(quotas, ANNA, 10**9)


async def test_a_reservation_that_was_called_off_while_it_was_made_leaves_nothing(
    opening: Opening,
):
    quotas = await opening(DAY)
    for _ in range(20):
        task = asyncio.create_task(quotas.reserve(ANNA, tokens=1000, usd=None))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    while (await only(quotas)).reserved:
        await asyncio.sleep(0.001)
    await spend(quotas, ANNA, 1000)


async def test_what_is_held_for_long_is_renewed_and_what_was_forgotten_is_let_go(
    opening: Opening, clock: Clock
):
    quotas = await opening(DAY)
    await quotas.reserve(ANNA, tokens=1000, usd=None)
    for _ in range(10):
        clock.at += 60
        await quotas.renew()
        assert (await only(quotas)).reserved == 1000
    clock.at += 3 * 3600
    await quotas.renew()
    assert (await only(quotas)).reserved == 0


async def test_a_booking_that_cannot_be_written_is_made_up_for(
    opening: Opening, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    quotas = await opening(DAY)
    spending = await quotas.reserve(ANNA, tokens=500, usd=None)
    with monkeypatch.context() as patch:

        def full(*_: object, **__: object) -> bool:
            raise StoreError("The disk is full.")

        patch.setattr("token_tracking.limits.quotas.quotas.settle", full)
        await spending.settle(400, None)
    assert "The disk is full." in caplog.text
    assert ((await only(quotas)).used, (await only(quotas)).reserved) == (0, 500)
    await quotas.renew()
    assert ((await only(quotas)).used, (await only(quotas)).reserved) == (400, 0)


async def test_old_windows_are_cleared_away(opening: Opening, clock: Clock, path: Path):
    quotas = await opening(DAY)
    await spend(quotas, ANNA, 1000)
    clock.set("2026-12-01T00:00:00")
    await quotas.renew()
    clock.set("2026-07-15T12:00:00")
    assert await quotas.status() == []


async def test_the_file_is_for_its_owner_alone(opening: Opening, path: Path):
    await opening(DAY)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_another_programs_database_is_left_alone(path: Path):
    with sqlite3.connect(path) as foreign:
        foreign.execute("CREATE TABLE mine (a)")
    foreign.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="another program"):
        await Quotas.open(path, [DAY])
    assert path.read_bytes() == before


async def test_a_file_of_a_newer_version_is_refused(path: Path):
    await (await Quotas.open(path, [DAY])).aclose()
    with sqlite3.connect(path) as newer:
        newer.execute("PRAGMA user_version = 99")
    newer.close()
    with pytest.raises(StoreError, match="Upgrade"):
        await Quotas.open(path, [DAY])


async def test_other_programs_can_look_while_it_is_used(opening: Opening, path: Path, clock: Clock):
    assert read_status(path) == []
    quotas = await opening(DAY, Quota(subject="key", period="month", name="1f", usd=Decimal(5)))
    await quotas.reserve(ANNA, tokens=100, usd=Decimal(1))
    await spend(quotas, ANNA, 250, Decimal(0))
    assert read_status(path, clock=clock) == await quotas.status()
    assert [(each.name, each.used, each.reserved) for each in await quotas.status()] == [
        ("anna", 250, 100),
        ("1f", 0, 0),
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"subject": "team"},
        {"period": "year"},
        {"tokens": None},
        {"tokens": 0},
        {"tokens": True},
        {"usd": Decimal("NaN")},
        {"usd": Decimal(0)},
        {"usd": 1.5},
        {"alert_at": (0,)},
        {"alert_at": (True,)},
        {"name": "x" * 201},
    ],
)
def test_a_quota_that_is_none_is_refused(fields: dict[str, object]):
    with pytest.raises(InvalidQuotaError):
        Quota(**{"subject": "user", "period": "day", "tokens": 1, **fields})  # pyright: ignore[reportArgumentType]


async def test_two_quotas_for_the_same_are_refused(path: Path):
    with pytest.raises(InvalidQuotaError, match="two quotas of each user per day"):
        await Quotas.open(path, [DAY, DAY])


@pytest.mark.parametrize("tokens", [-1, True, 1.5, 10**18])
async def test_an_amount_that_is_none_is_refused(opening: Opening, tokens: int):
    quotas = await opening(DAY)
    with pytest.raises(InvalidQuotaError):
        await quotas.reserve(ANNA, tokens=tokens, usd=None)


Step = tuple[str, int, int]
STEPS: st.SearchStrategy[Sequence[Step]] = st.lists(
    st.tuples(
        st.sampled_from(["reserve", "settle", "refund"]), st.integers(0, 600), st.integers(0, 600)
    ),
    max_size=30,
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(STEPS)
def test_used_and_held_are_the_sum_of_what_was_asked_and_billed(
    tmp_path_factory: pytest.TempPathFactory, steps: Sequence[Step]
):
    async def run() -> None:
        path = tmp_path_factory.mktemp("quotas") / "limits.db"
        quota = Quota(subject="user", period="day", name="anna", tokens=1000)
        async with await Quotas.open(path, [quota], timezone=UTC, clock=Clock()) as quotas:
            used, open_now = 0, list[tuple[Spending, int]]()
            for action, index, amount in steps:
                held = sum(each for _, each in open_now)
                if action == "reserve":
                    try:
                        spending = await quotas.reserve(ANNA, tokens=amount, usd=None)
                    except QuotaExceededError:
                        assert used + held + max(amount, 1) > 1000
                    else:
                        assert used + held + amount <= 1000
                        open_now.append((spending, amount))
                elif open_now:
                    spending, _ = open_now.pop(index % len(open_now))
                    await (
                        spending.refund() if action == "refund" else spending.settle(amount, None)
                    )
                    used += amount if action == "settle" else 0
                status = await only(quotas)
                assert status.used == used
                assert status.reserved == sum(each for _, each in open_now)

    asyncio.run(run())


def start(module: str, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", f"tests.limits.quotas.{module}", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )


def line_of(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_processes_that_ask_at_once_never_pass_a_hard_quota_together(path: Path):
    processes = [start("spenders", str(path), "8") for _ in range(4)]
    assert [line_of(process) for process in processes] == ["ready"] * 4
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    let_through = [int(process.communicate(timeout=60)[0]) for process in processes]
    assert all(process.returncode == 0 for process in processes)
    (status,) = read_status(path)
    assert status.used == sum(let_through)
    assert LIMIT - 400 < sum(let_through) <= LIMIT
    assert status.reserved == 0
    assert sum(each > 0 for each in let_through) > 1


async def test_what_a_killed_process_held_is_let_go_after_two_minutes(path: Path):
    process = start("holding", str(path))
    assert await asyncio.to_thread(line_of, process) == "held"
    process.kill()
    process.communicate()
    (status,) = read_status(path)
    assert status.reserved == 15_000
    (after,) = read_status(path, clock=lambda: time.time() + 121)
    assert after.reserved == 0
