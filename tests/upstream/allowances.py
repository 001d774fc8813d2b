"""The rate limits that the headers tell of. They are told and not enforced: a script does that."""

from collections.abc import Callable
from datetime import UTC, datetime

from tests.upstream.caching import Billed

MINUTE = 60.0


class Allowance:
    """Requests and tokens a minute, renewed at each full minute of the clock.

    Tokens that were read from the cache are free, as the API's page on rate limits says.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.limits = {"requests": 4_000, "input-tokens": 2_000_000, "output-tokens": 400_000}
        self._clock = clock
        self._minute: float = 0.0
        self._used = dict.fromkeys(self.limits, 0)

    def take(self, billed: list[Billed], output_tokens: int) -> None:
        """Note what a request used."""
        self._renew()
        self._used["requests"] += 1
        self._used["input-tokens"] += sum(each.prompt - each.read for each in billed)
        self._used["output-tokens"] += output_tokens

    def _renew(self) -> None:
        minute = self._clock() // MINUTE
        if minute != self._minute:
            self._minute, self._used = minute, dict.fromkeys(self.limits, 0)

    def headers(self) -> dict[str, str]:
        """The `anthropic-ratelimit-*` headers."""
        self._renew()
        reset = datetime.fromtimestamp((self._minute + 1) * MINUTE, UTC)
        left = {name: max(limit - self._used[name], 0) for name, limit in self.limits.items()}
        limits = {**self.limits, "tokens": _tokens(self.limits)}
        told: dict[str, str] = {}
        for name, limit in limits.items():
            remaining = left[name] if name in left else _tokens(left)
            told[f"anthropic-ratelimit-{name}-limit"] = str(limit)
            told[f"anthropic-ratelimit-{name}-remaining"] = str(remaining)
            told[f"anthropic-ratelimit-{name}-reset"] = f"{reset:%Y-%m-%dT%H:%M:%SZ}"
        return told


def _tokens(of: dict[str, int]) -> int:
    return of["input-tokens"] + of["output-tokens"]
