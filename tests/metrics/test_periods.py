from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from token_tracking.errors import InvalidPeriodError
from token_tracking.metrics import NAMED_PERIODS, Period, before, parse_period, time_zone

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


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("last_hour", "2026-11-21T22:30+00:00"),
        ("last_day", "2026-11-20T23:30+00:00"),
        ("last_week", "2026-11-14T23:30+00:00"),
        ("last_month", "2026-10-22T23:30+00:00"),
    ],
)
def test_rolling_periods_begin_at_the_quarter_of_their_first_moment(name: str, start: str) -> None:
    now = NOW + timedelta(minutes=14, seconds=59)
    assert parse_period(name, UTC, now) == (name, ms(start), None)


def test_all_time_is_open_on_both_sides() -> None:
    assert parse_period("all_time", UTC) == ("all_time", None, None)


def test_a_week_ago_is_the_same_time_of_the_day_and_a_day_ago_is_24_hours() -> None:
    monday = datetime(2026, 10, 26, 12, tzinfo=BERLIN)  # summer time ended on the 25th
    assert parse_period("last_week", BERLIN, monday).start == ms("2026-10-19T12:00+02:00")
    sunday = datetime(2026, 10, 25, 12, tzinfo=BERLIN)
    assert parse_period("last_day", BERLIN, sunday).start == ms("2026-10-24T13:00+02:00")


def test_an_unknown_period_is_told_all_names() -> None:
    with pytest.raises(InvalidPeriodError) as error:
        parse_period("last_year", UTC)
    for name in ("today", "7d", "30d", "all", "FROM..TO", *NAMED_PERIODS):
        assert name in str(error.value)


def test_two_dates_or_times_are_a_period_as_they_are() -> None:
    days = (date(2026, 11, 1), date(2026, 11, 8))
    assert parse_period(days, BERLIN) == parse_period("2026-11-01..2026-11-08", BERLIN)
    end = datetime(2026, 11, 1, 9, 45, tzinfo=UTC)
    times = (datetime.fromisoformat("2026-11-01T10:20"), end)
    assert parse_period(times, BERLIN)[1:] == (
        ms("2026-11-01T10:15+01:00"),
        ms("2026-11-01T10:45+01:00"),
    )
    text = "2026-11-01T10:20..2026-11-01T10:45"
    assert parse_period(text, BERLIN)[1:] == parse_period(times, BERLIN)[1:]


@pytest.mark.parametrize("text", ["2026-11-01T10:20..2026-11-01T10:25", "2026-11-01T25:00.."])
def test_times_that_are_no_period_are_refused(text: str) -> None:
    with pytest.raises(InvalidPeriodError, match=r"quarter of an hour|is no time"):
        parse_period(text, UTC)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("last_hour", "2026-11-21T21:30+00:00", "2026-11-21T22:30+00:00"),
        ("last_day", "2026-11-19T23:30+00:00", "2026-11-20T23:30+00:00"),
        ("last_week", "2026-11-07T23:30+00:00", "2026-11-14T23:30+00:00"),
        ("last_month", "2026-09-22T23:30+00:00", "2026-10-22T23:30+00:00"),
        ("today", "2026-11-20T00:00+00:00", "2026-11-21T00:00+00:00"),
        ("7d", "2026-11-08T00:00+00:00", "2026-11-15T00:00+00:00"),
        ("2026-11-01..2026-11-08", "2026-10-25T00:00+00:00", "2026-11-01T00:00+00:00"),
        ("2026-11-20..", "2026-11-18T00:00+00:00", "2026-11-20T00:00+00:00"),
        ("2026-11-21T20:00..2026-11-21T22:30", "2026-11-21T17:30+00:00", "2026-11-21T20:00+00:00"),
    ],
)
def test_the_period_before_is_as_long_and_ends_where_it_begins(
    text: str, start: str, end: str
) -> None:
    found = before(parse_period(text, UTC, NOW), UTC, NOW)
    assert found == (f"before {text}", ms(start), ms(end))


def test_days_before_are_days_whatever_the_clock_did() -> None:
    week = parse_period("2026-10-26..2026-11-02", BERLIN)
    found = before(week, BERLIN)
    assert found is not None
    assert found[1:] == (ms("2026-10-19T00:00+02:00"), ms("2026-10-26T00:00+01:00"))


def test_nothing_is_before_what_has_no_beginning() -> None:
    for text in ("all", "all_time", "..2026-11-01", "0001-01-01..2026-01-01"):
        assert before(parse_period(text, UTC), UTC, NOW) is None


_moments = st.integers(ms("2026-03-02T00:00+00:00"), ms("2027-01-01T00:00+00:00")).map(
    lambda at: datetime.fromtimestamp(at / 1000, UTC)
)


@given(st.lists(_moments, min_size=3, max_size=6))
def test_periods_that_follow_each_other_leave_nothing_out_and_share_nothing(
    times: list[datetime],
) -> None:
    cuts = sorted({time.replace(minute=0, second=0, microsecond=0) for time in times})
    parts = [parse_period(pair, UTC) for pair in pairwise(cuts)]
    assert all(first.end == second.start for first, second in pairwise(parts))
    if parts:
        whole = parse_period((cuts[0], cuts[-1]), UTC)
        assert (whole.start, whole.end) == (parts[0].start, parts[-1].end)


@given(
    st.sampled_from([*NAMED_PERIODS, "today", "7d", "30d", "2026-03-01.."]),
    st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe"]),
    _moments,
)
def test_the_period_before_begins_at_a_quarter_and_before_this_one(
    text: str, zone: str, now: datetime
) -> None:
    period: Period = parse_period(text, ZoneInfo(zone), now)
    found = before(period, ZoneInfo(zone), now)
    if period.start is None:
        assert found is None
        return
    assert found is not None
    assert found.start is not None
    assert found.end == period.start > found.start
    assert period.start % 900_000 == found.start % 900_000 == 0


def test_a_time_zone_has_a_name() -> None:
    assert time_zone("Europe/Berlin") == BERLIN


@pytest.mark.parametrize("name", ["Mars/Olympus", "../etc/passwd", "", "\x00"])
def test_what_is_no_time_zone_is_refused(name: str) -> None:
    with pytest.raises(InvalidPeriodError, match="time zone"):
        time_zone(name)


def test_the_machines_time_zone_has_its_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    assert time_zone() == BERLIN
