"""Headers about limits, true, odd and hostile."""

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.limits.rate.storages import Clock, fresh_key
from token_tracking.limits import MemoryRateStorage, RateLimit, RateLimiter
from token_tracking.limits.rate.learning import LearnedLimits, read_response
from token_tracking.limits.rate.learning.durations import duration
from token_tracking.limits.rate.storage import Heard

NOW = 1_800_000_000.0


def instant(seconds: float) -> str:
    return datetime.fromtimestamp(NOW + seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def heard(status: int, headers: dict[str, str], window: float = 60.0) -> Heard | None:
    return read_response(status, headers, b"", now=NOW).heard(window)


def limits(headers: dict[str, str]) -> dict[int, int]:
    return read_response(200, headers, b"", now=NOW).limits


ANTHROPIC = {
    "anthropic-ratelimit-requests-limit": "1000",
    "anthropic-ratelimit-requests-remaining": "999",
    "anthropic-ratelimit-requests-reset": instant(1),
    "anthropic-ratelimit-input-tokens-limit": "450000",
    "anthropic-ratelimit-input-tokens-remaining": "400000",
    "anthropic-ratelimit-input-tokens-reset": instant(7),
    "anthropic-ratelimit-output-tokens-limit": "90000",
    "anthropic-ratelimit-output-tokens-remaining": "90000",
    "anthropic-ratelimit-output-tokens-reset": instant(0),
    "anthropic-ratelimit-tokens-limit": "540000",
    "anthropic-ratelimit-tokens-remaining": "490000",
    "anthropic-ratelimit-tokens-reset": instant(7),
}


def test_anthropics_headers_tell_limits_and_what_is_used_of_them() -> None:
    assert limits(ANTHROPIC) == {0: 1_000, 1: 450_000, 2: 90_000, 3: 540_000}
    assert heard(200, ANTHROPIC) == Heard((1, 50_000, None, 50_000), (1.0, 7.0, 0.0, 7.0))


def test_openais_requests_are_by_the_minute() -> None:
    headers = {
        "x-ratelimit-limit-requests": "10000",
        "x-ratelimit-remaining-requests": "9998",
        "x-ratelimit-reset-requests": "12ms",
        "x-ratelimit-limit-tokens": "200000",
        "x-ratelimit-remaining-tokens": "195588",
        "x-ratelimit-reset-tokens": "1.323s",
    }
    assert limits(headers) == {0: 10_000, 3: 200_000}
    assert heard(200, headers) == Heard((2, None, None, 4_412), (0.012, 0.0, 0.0, 1.323))


def test_groqs_requests_are_by_the_day_and_no_limit_per_minute() -> None:
    headers = {
        "x-ratelimit-limit-requests": "14400",
        "x-ratelimit-remaining-requests": "14370",
        "x-ratelimit-reset-requests": "2m59.56s",
        "x-ratelimit-limit-tokens": "18000",
        "x-ratelimit-remaining-tokens": "17997",
        "x-ratelimit-reset-tokens": "7.66s",
    }
    assert limits(headers) == {3: 18_000}


def test_what_returns_later_than_a_window_is_held_for_a_window() -> None:
    headers = {
        "x-ratelimit-limit-tokens": "150000",
        "x-ratelimit-remaining-tokens": "149984",
        "x-ratelimit-reset-tokens": "6m0s",
    }
    assert heard(200, headers) == Heard((None, None, None, 16), (0.0, 0.0, 0.0, 60.0))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("6m0s", 360.0),
        ("1s", 1.0),
        ("17ms", 0.017),
        ("2m59.56s", 179.56),
        ("1h2m3s", 3_723.0),
        ("1d", 86_400.0),
        ("12", 12.0),
        ("0.5", 0.5),
        ("1s500ms", 1.5),
        ("", None),
        ("s", None),
        ("-1s", None),
        ("1e9", None),
        ("nan", None),
        ("inf", None),
        ("2d", None),
        ("soon", None),
        ("1m2m", None),
        ("9" * 400, None),
    ],
)
def test_durations_are_read_as_providers_write_them(text: str, seconds: float | None) -> None:
    assert duration(text) == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "17"}, 17.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "20", "retry-after-ms": "19500"}, 19.5),
        ({"retry-after": format_datetime(datetime.fromtimestamp(NOW + 30, UTC), True)}, 30.0),
        ({"retry-after": format_datetime(datetime.fromtimestamp(NOW - 30, UTC), True)}, 0.0),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "99999999"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "Wed, 99 Foo 2026"}, None),
        ({"retry-after": "Wed, 21 Oct 9999 07:28:00 GMT"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(headers: dict[str, str], seconds: float | None) -> None:
    learned = read_response(429, headers, b"", now=NOW).learned
    assert learned.kind == "rate"
    assert learned.retry_after == seconds


def test_a_day_of_waiting_pauses_only_a_window() -> None:
    found = heard(429, {"retry-after": "80000"})
    assert found == Heard(pause=60.0)


@pytest.mark.parametrize(
    "headers",
    [
        {"limit": "0", "remaining": "0", "reset": instant(5)},
        {"limit": "-1", "remaining": "0", "reset": instant(5)},
        {"limit": "5", "remaining": "0", "reset": instant(5)},
        {"limit": "1e3", "remaining": "0", "reset": instant(5)},
        {"limit": "unlimited", "remaining": "0", "reset": instant(5)},
        {"limit": "9" * 13, "remaining": "0", "reset": instant(5)},
        {"limit": "99999999999", "remaining": "0", "reset": instant(5)},
        {"limit": "1000", "remaining": "1001", "reset": instant(5)},
        {"limit": "١٠٠٠", "remaining": "0", "reset": instant(5)},
        {"remaining": "0", "reset": instant(5)},
    ],
)
def test_absurd_headers_change_nothing(headers: dict[str, str]) -> None:
    named = {f"anthropic-ratelimit-tokens-{name}": value for name, value in headers.items()}
    assert limits(named) == {}
    assert heard(200, named) is None
    named = {f"x-ratelimit-{name}-tokens": value for name, value in headers.items()}
    assert limits(named) == {}
    assert heard(200, named) is None


NAMES = st.sampled_from(
    [
        *ANTHROPIC,
        "x-ratelimit-limit-requests",
        "x-ratelimit-remaining-requests",
        "x-ratelimit-reset-requests",
        "x-ratelimit-limit-tokens",
        "x-ratelimit-remaining-tokens",
        "x-ratelimit-reset-tokens",
        "retry-after",
        "retry-after-ms",
    ]
)
VALUES = st.one_of(
    st.text(max_size=30),
    st.integers().map(str),
    st.floats().map(str),
    st.datetimes().map(datetime.isoformat),
    st.sampled_from(["6m0s", "17ms", "1000", "0"]),
)


@settings(deadline=None)
@given(st.dictionaries(NAMES, VALUES), st.sampled_from([200, 400, 429, 529]))
def test_no_header_makes_a_limit_higher_or_a_wait_longer_than_a_window(
    headers: dict[str, str], status: int
) -> None:
    key, clock = fresh_key(), Clock()
    limiter = RateLimiter(
        lambda key: RateLimit(requests=100, input_tokens=1_000),
        MemoryRateStorage(clock=clock),
        clock=clock,
    )
    limiter.learn(key, status, headers)
    requests, inputs, _, _ = limiter.limits(key)
    assert requests is not None
    assert inputs is not None
    assert 1 <= requests <= 100
    assert 100 <= inputs <= 1_000
    found = read_response(status, headers, b"", now=NOW).heard(60.0)
    if found is not None:
        assert max(*found.returns_in, found.pause) <= 60.0
        assert all(used is None or used >= 0 for used in found.used)


def test_a_limit_that_no_response_confirms_is_forgotten() -> None:
    clock, key = Clock(), fresh_key()
    learned = LearnedLimits(clock)
    learned.add(key, {1: 500})
    clock.now += 300
    learned.add(key, {2: 50})
    clock.now += 301
    assert learned.lower(key, (None, 1_000, 1_000, None)) == (None, 1_000, 50, None)
    clock.now += 300
    assert learned.lower(key, (None, 1_000, 1_000, None)) == (None, 1_000, 1_000, None)
