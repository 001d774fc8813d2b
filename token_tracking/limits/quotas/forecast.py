"""When a quota will be reached at the pace so far."""

from typing import Final, Literal, NamedTuple

LEAST_REQUESTS: Final = 5
LEAST_SHARE_OF_WINDOW: Final = 1 / 48
"""Half an hour of a day, three and a half of a week, fifteen of a month. Not measured: less would
make a forecast of a single burst."""

TOO_LITTLE: Final = (
    f"too little is known: it takes {LEAST_REQUESTS} requests, and 1/48 of the period since the"
    " first"
)
NOT_BEFORE: Final = "not before it resets"
REACHED: Final = "reached"
AT_THIS_PACE: Final = "at the pace since the period's first request"


class Forecast(NamedTuple):
    """`at` is milliseconds since 1970 UTC, or `None`: `note` says why."""

    at: int | None
    note: str
    basis: Literal["estimated", "unknown"]


class Pace(NamedTuple):
    """What was used in a window, of which limit. Times are milliseconds since 1970 UTC; the amounts
    are both tokens, or both pico-USD."""

    used: int
    limit: int
    requests: int
    first_at: int | None
    starts_at: int
    resets_at: int


def forecast(pace: Pace, now: int) -> Forecast:
    """When `used` will come to `limit`, if it goes on as it did on average from the window's first
    request until now (pauses and nights in between included): `now + (limit - used) / (used /
    (now - first_at))`.

    There is none with fewer than `LEAST_REQUESTS` requests, or less than `LEAST_SHARE_OF_WINDOW` of
    the window since the first of them; nor where the window ends before.
    """
    if pace.used >= pace.limit:
        return Forecast(None, REACHED, "estimated")
    span = 0 if pace.first_at is None else now - pace.first_at
    least = LEAST_SHARE_OF_WINDOW * (pace.resets_at - pace.starts_at)
    if pace.requests < LEAST_REQUESTS or span < least:
        return Forecast(None, TOO_LITTLE, "unknown")
    if not pace.used:
        return Forecast(None, NOT_BEFORE, "estimated")
    at = now + -(-(pace.limit - pace.used) * span // pace.used)
    if at >= pace.resets_at:
        return Forecast(None, NOT_BEFORE, "estimated")
    return Forecast(at, AT_THIS_PACE, "estimated")
