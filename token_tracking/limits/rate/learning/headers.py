"""Headers about limits: Anthropic's, OpenAI's, and those who write like them."""

import re
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from token_tracking.limits.rate.learning.durations import (
    believable,
    duration,
    until_http_date,
    until_instant,
)

REQUESTS, INPUT, OUTPUT, TOKENS = range(4)

MIN_TOKENS: Final = 100
MAX_LIMIT: Final = 10**10
"""No provider sells fewer tokens a minute, or more: such a limit is not believed."""

MINUTE_SECONDS: Final = (20.0, 200.0)
"""Between which the time to refill a bucket is a minute's. OpenAI and Groq write the resets of
their requests in whole milliseconds, and Groq's requests are counted by the day."""

_INTEGER: Final = re.compile(r"[0-9]{1,12}")
_ANTHROPIC: Final = {
    "requests": REQUESTS,
    "input-tokens": INPUT,
    "output-tokens": OUTPUT,
    "tokens": TOKENS,
}
_OPENAI: Final = {"requests": REQUESTS, "tokens": TOKENS}


class Stated(Struct, frozen=True):
    """A limit per minute, what of it is left, and in how many seconds all of it will be back."""

    kind: int
    limit: int
    remaining: int | None
    reset: float | None


def lowered(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that matter here, their names in lower case."""
    found = ((name.lower(), value) for name, value in headers.items())
    return {
        name: value for name, value in found if "ratelimit" in name or name.startswith("retry-")
    }


def stated(headers: Mapping[str, str], now: float) -> list[Stated]:
    """Limits per minute that the (lowered) headers state; `now` is seconds since 1970.

    Left out is what contradicts itself, is not believable, or is not by the minute.
    """
    found = [
        _stated(headers, kind, f"anthropic-ratelimit-{name}-{{}}", now)
        for name, kind in _ANTHROPIC.items()
    ]
    found += [
        _stated(headers, kind, f"x-ratelimit-{{}}-{name}", now) for name, kind in _OPENAI.items()
    ]
    return [one for one in found if one is not None]


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds until the provider wants to be asked again, by the (lowered) headers."""
    milliseconds = headers.get("retry-after-ms", "").strip()
    if re.fullmatch(r"[0-9]{1,9}(?:\.[0-9]{1,9})?", milliseconds):
        return believable(float(milliseconds) / 1_000)
    text = headers.get("retry-after", "")
    seconds = duration(text)
    return until_http_date(text, now) if seconds is None else seconds


def _stated(headers: Mapping[str, str], kind: int, name: str, now: float) -> Stated | None:
    limit = _integer(headers.get(name.format("limit")))
    if limit is None or not (1 if kind == REQUESTS else MIN_TOKENS) <= limit <= MAX_LIMIT:
        return None
    remaining = _integer(headers.get(name.format("remaining")))
    if remaining is not None and remaining > limit:
        return None
    text = headers.get(name.format("reset"), "")
    is_anthropic = name.startswith("anthropic")
    reset = until_instant(text, now) if is_anthropic else duration(text)
    if kind == REQUESTS and not is_anthropic and not _by_minute(limit, remaining, reset):
        return None
    return Stated(kind, limit, remaining, reset)


def _by_minute(limit: int, remaining: int | None, reset: float | None) -> bool:
    """Whether a bucket refills within a minute, by how long what was taken needs to return."""
    if remaining is None or reset is None or remaining == limit:
        return False
    low, high = MINUTE_SECONDS
    return low <= reset * limit / (limit - remaining) <= high


def _integer(text: str | None) -> int | None:
    return int(text.strip()) if text and _INTEGER.fullmatch(text.strip()) else None
