from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from token_tracking.metrics.steps import StepSize, step_size, time_steps

HOUR = 3_600_000
QUARTER = HOUR // 4
BERLIN = ZoneInfo("Europe/Berlin")
ZONES = ("UTC", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "America/New_York")
SIZES: tuple[StepSize, ...] = ("quarter", "hour", "day", "week", "month")


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(
    ("hours", "size"),
    [(1, "quarter"), (25, "hour"), (49, "hour"), (50, "day"), (31 * 24, "day"), (90 * 24, "week"),
     (371 * 24, "week"), (372 * 24, "month")],
)  # fmt: skip
def test_a_period_is_shown_in_steps_of_its_own_size(hours: int, size: StepSize) -> None:
    assert step_size(0, hours * HOUR) == size


def test_days_begin_at_midnight_and_the_first_may_be_a_part() -> None:
    start, end = ms("2026-10-24T15:30+02:00"), ms("2026-10-26T12:00+01:00")
    assert time_steps(start, end, "day", BERLIN) == [
        ("2026-10-24", start),
        ("2026-10-25", ms("2026-10-25T00:00+02:00")),
        ("2026-10-26", ms("2026-10-26T00:00+01:00")),
    ]


def test_hours_are_those_of_the_clock() -> None:
    start = ms("2026-11-21T10:15+00:00")
    steps = time_steps(start, start + HOUR, "hour", UTC)
    assert steps == [("2026-11-21 10:00", start), ("2026-11-21 11:00", start + 45 * 60_000)]


def test_weeks_begin_on_mondays_and_months_on_the_first() -> None:
    start, end = ms("2026-11-19T00:00+00:00"), ms("2026-12-02T00:00+00:00")
    weeks = [label for label, _ in time_steps(start, end, "week", UTC)]
    assert weeks == ["2026-11-16", "2026-11-23", "2026-11-30"]
    assert time_steps(start, end, "month", UTC) == [
        ("2026-11", start),
        ("2026-12", ms("2026-12-01T00:00+00:00")),
    ]


def test_nothing_has_no_steps() -> None:
    assert time_steps(5 * HOUR, 5 * HOUR, "day", UTC) == []


@given(
    st.integers(0, 2_000_000),
    st.integers(1, 40 * 96),
    st.sampled_from(ZONES),
    st.sampled_from(SIZES),
)
def test_steps_cover_a_period_in_order_and_begin_at_quarters(
    first: int, quarters: int, zone: str, size: StepSize
) -> None:
    start = first * QUARTER + ms("1990-01-01T00:00+00:00")
    steps = time_steps(start, start + quarters * QUARTER, size, ZoneInfo(zone))
    starts = [each for _, each in steps]
    assert starts[0] == start
    assert starts[-1] < start + quarters * QUARTER
    assert all(a < b for a, b in pairwise(starts))
    assert all(each % QUARTER == 0 for each in starts)
