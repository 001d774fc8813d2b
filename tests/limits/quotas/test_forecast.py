"""When a quota will be reached, and when nobody can say."""

from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.limits.quotas.clocks import Clock, ms
from token_tracking.limits import Quota, Quotas, Spender
from token_tracking.limits.quotas.forecast import (
    AT_THIS_PACE,
    NOT_BEFORE,
    REACHED,
    TOO_LITTLE,
    Forecast,
    Pace,
    forecast,
)

HOUR = 3_600_000
DAY = Pace(used=0, limit=1000, requests=5, first_at=8 * HOUR, starts_at=0, resets_at=24 * HOUR)


@pytest.mark.parametrize(
    ("used", "now", "expected"),
    [
        (200, 10 * HOUR, Forecast(18 * HOUR, AT_THIS_PACE, "estimated")),
        (999, 10 * HOUR, Forecast(10 * HOUR + 7208, AT_THIS_PACE, "estimated")),
        (100, 10 * HOUR, Forecast(None, NOT_BEFORE, "estimated")),
        (0, 10 * HOUR, Forecast(None, NOT_BEFORE, "estimated")),
        (1000, 10 * HOUR, Forecast(None, REACHED, "estimated")),
        (1000, 8 * HOUR, Forecast(None, REACHED, "estimated")),
        (200, 8 * HOUR + HOUR // 2 - 1, Forecast(None, TOO_LITTLE, "unknown")),
        (200, 8 * HOUR + HOUR // 2, Forecast(10 * HOUR + HOUR // 2, AT_THIS_PACE, "estimated")),
    ],
)
def test_the_pace_since_the_first_request_goes_on(used: int, now: int, expected: Forecast):
    assert forecast(DAY._replace(used=used), now) == expected


def test_it_takes_five_requests():
    four = DAY._replace(used=200, requests=4)
    assert forecast(four, 10 * HOUR) == Forecast(None, TOO_LITTLE, "unknown")


def test_nothing_used_is_too_little():
    empty = DAY._replace(requests=0, first_at=None)
    assert forecast(empty, 10 * HOUR) == Forecast(None, TOO_LITTLE, "unknown")


def test_what_would_be_reached_as_the_window_ends_is_not():
    # 250 in 4 hours: 1000 at the very midnight.
    assert forecast(DAY._replace(used=250), 12 * HOUR).at is None


async def test_the_status_of_an_account_carries_it(tmp_path: Path):
    clock = Clock("2026-07-15T08:00:00")
    quota = Quota(subject="user", period="day", usd=Decimal(1))
    async with await Quotas.open(
        tmp_path / "limits.db", [quota], timezone=ZoneInfo("UTC"), clock=clock
    ) as quotas:
        for _ in range(5):
            spending = await quotas.reserve(Spender(user="anna"), tokens=1, usd=Decimal("0.04"))
            await spending.settle(1, Decimal("0.04"))
        clock.set("2026-07-15T10:00:00")
        (status,) = await quotas.status()
    assert status.forecast_at == ms("2026-07-15T18:00:00")
    assert status.forecast_basis == "estimated"
