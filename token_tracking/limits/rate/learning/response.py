"""One response, read for what it says about limits."""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from token_tracking.limits.rate.learning.headers import Stated, lowered, retry_after, stated
from token_tracking.limits.rate.learning.texts import Refusal, refusal
from token_tracking.limits.rate.storage import Heard
from token_tracking.limits.rate.values import Learned

REFUSALS: Final = frozenset({400, 413, 422, 429})
"""The statuses whose texts may speak of limits."""

LIMITED: Final = 429


class Response(Struct, frozen=True):
    """What the caller is told, and what is kept: limits per minute by kind, and their counts."""

    learned: Learned
    limits: dict[int, int]
    stated: list[Stated]
    is_limited: bool
    is_daily: bool

    def heard(self, window: float) -> Heard | None:
        """What the storage is told, if anything. Nothing is longer than a window (seconds), but a
        pause where the day's requests are used up: longer ones may be for this request alone."""
        used: list[int | None] = [None] * 4
        returns_in = [0.0] * 4
        for one in self.stated:
            if one.remaining is not None and one.remaining < one.limit:
                used[one.kind] = one.limit - one.remaining
                returns_in[one.kind] = window if one.reset is None else min(one.reset, window)
        pause = (self.learned.retry_after or 0.0) if self.is_limited else 0.0
        if not self.is_daily:
            pause = min(pause, window)
        if not pause and not any(used):
            return None
        return Heard((used[0], used[1], used[2], used[3]), _four(returns_in), pause)


def read_response(status: int, headers: Mapping[str, str], body: bytes, *, now: float) -> Response:
    """What a response says; `now` is seconds since 1970. Never raises."""
    relevant = lowered(headers)
    found = stated(relevant, now)
    said = refusal(status, body) if status in REFUSALS else Refusal()
    wait = retry_after(relevant, now)
    learned = Learned(
        kind=said.kind,
        retry_after=said.retry_after if wait is None else wait,
        shrink_to=said.shrink_to,
        requested=said.requested,
        includes_output=said.includes_output,
        limit=said.limit,
    )
    limits = {one.kind: one.limit for one in found}
    if said.limit is not None and said.limit_kind is not None:
        limits[said.limit_kind] = said.limit
    is_limited = status == LIMITED and said.kind == "rate"
    return Response(learned, limits, found, is_limited, said.is_daily)


def _four(numbers: list[float]) -> tuple[float, float, float, float]:
    requests, inputs, outputs, tokens = numbers
    return (requests, inputs, outputs, tokens)
