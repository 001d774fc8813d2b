from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

import pytest

from token_tracking.errors import InvalidPeriodError
from token_tracking.metrics import parse_period, time_zone

BERLIN = ZoneInfo("Europe/Berlin")
KATHMANDU = ZoneInfo("Asia/Kathmandu")
NOW = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def test_all_is_open_on_both_sides() -> None:
    assert parse_period("all", UTC)[1:] == (None, None)


@pytest.mark.parametrize(
    ("name", "zone", "start"),
    [
        ("today", UTC, "2026-11-21T00:00+00:00"),
        ("today", BERLIN, "2026-11-22T00:00+01:00"),
        ("today", KATHMANDU, "2026-11-22T00:00+05:45"),
        ("7d", UTC, "2026-11-15T00:00+00:00"),
        ("30d", UTC, "2026-10-23T00:00+00:00"),
        ("1d", UTC, "2026-11-21T00:00+00:00"),
        ("365d", UTC, "2025-11-22T00:00+00:00"),
    ],
)
def test_days_are_those_of_the_time_zone(name: str, zone: tzinfo, start: str) -> None:
    assert parse_period(name, zone, NOW)[1:] == (ms(start), None)


def test_two_dates_are_half_open() -> None:
    assert parse_period("2026-11-01..2026-11-08", UTC)[1:] == (
        ms("2026-11-01T00:00+00:00"),
        ms("2026-11-08T00:00+00:00"),
    )


def test_a_day_of_25_hours_is_as_long_as_it_is() -> None:
    start, end = parse_period("2026-10-25..2026-10-26", BERLIN)[1:]
    assert start is not None
    assert end is not None
    assert end - start == 25 * 3_600_000


def test_either_date_may_be_left_out() -> None:
    assert parse_period("2026-11-01..", UTC)[1:] == (ms("2026-11-01T00:00+00:00"), None)
    assert parse_period("..2026-11-01", UTC)[1:] == (None, ms("2026-11-01T00:00+00:00"))


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "0d", "-3d", "..", "2026-13-01..", "2026-11-08..2026-11-08", "a..b", "7"],
)
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(InvalidPeriodError):
        parse_period(text, UTC)


def test_a_time_zone_has_a_name() -> None:
    assert time_zone("Europe/Berlin") == BERLIN


@pytest.mark.parametrize("name", ["Mars/Olympus", "../etc/passwd", "", "\x00"])
def test_what_is_no_time_zone_is_refused(name: str) -> None:
    with pytest.raises(InvalidPeriodError, match="time zone"):
        time_zone(name)


def test_the_machines_time_zone_has_its_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    assert time_zone() == BERLIN
