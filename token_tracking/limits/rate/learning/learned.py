"""What was learnt of each key, as long as it may still be so."""

from collections.abc import Callable, Mapping
from typing import Final, cast

from token_tracking.limits.rate.storage import Heard
from token_tracking.limits.rate.values import Limits, RateKey

BELIEVED_SECONDS: Final = 600.0
"""How long a limit is believed that no response confirms: tiers change."""

MAX_KEYS: Final = 10_000
"""Of how many keys something is remembered; the longest untouched is forgotten first."""


class LearnedLimits:
    """Limits per minute that responses told. `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._found: dict[RateKey, dict[int, tuple[int, float]]] = {}

    def add(self, key: RateKey, limits: Mapping[int, int]) -> None:
        """Believe these limits of a key, by kind, in place of what was told of them before."""
        if not limits:
            return
        until = self._clock() + BELIEVED_SECONDS
        known = self._found.pop(key, {})
        self._found[key] = known | {kind: (limit, until) for kind, limit in limits.items()}
        if len(self._found) > MAX_KEYS:
            del self._found[next(iter(self._found))]

    def lower(self, key: RateKey, limits: Limits) -> Limits:
        """The given limits, or the learnt ones where those are lower."""
        known = self._found.get(key)
        if not known:
            return limits
        now, lowest = self._clock(), list(limits)
        for kind, (learned, until) in known.items():
            limit = lowest[kind]
            if now < until and (limit is None or learned < limit):
                lowest[kind] = learned
        return cast("Limits", tuple(lowest))


class News:
    """What providers said of keys, until a storage is told of it. `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._heard: dict[RateKey, tuple[Heard, float]] = {}

    def add(self, key: RateKey, heard: Heard) -> None:
        """Remember it in place of what was said before, of which only a longer pause stays."""
        before = self.pop(key)
        if before is not None and before.pause > heard.pause:
            heard = Heard(heard.used, heard.returns_in, before.pause)
        self._heard[key] = (heard, self._clock())
        if len(self._heard) > MAX_KEYS:
            del self._heard[next(iter(self._heard))]

    def pop(self, key: RateKey) -> Heard | None:
        """What is left of it now; the next call has nothing."""
        found = self._heard.pop(key, None)
        if found is None:
            return None
        heard, at = found
        age = max(0.0, self._clock() - at)
        requests, inputs, outputs, tokens = (max(0.0, one - age) for one in heard.returns_in)
        return Heard(heard.used, (requests, inputs, outputs, tokens), max(0.0, heard.pause - age))
