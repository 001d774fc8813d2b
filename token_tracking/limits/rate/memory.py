"""The storage of one process: everything in memory."""

import time
from collections.abc import Callable
from math import ceil, inf
from typing import Final

from token_tracking.limits.rate.storage import (
    HELD_PARTS,
    SUB_WINDOWS,
    Change,
    Granted,
    Heard,
    Told,
    Wish,
    Work,
)
from token_tracking.limits.rate.values import WINDOW_SECONDS, Counts, Limits, RateKey

MOMENT: Final = 1e-6
"""The shortest wait, in seconds."""


class MemoryRateStorage:
    """Counts of one limiter, in one process; another limiter takes another storage.

    `clock` gives seconds and never goes back. What was not used for a window is forgotten.
    """

    poll = None

    def __init__(
        self, *, window: float = WINDOW_SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.window = window
        self._clock = clock
        self._windows: dict[RateKey, _Window] = {}
        self._sweep_at = clock() + window

    async def turn(self, key: RateKey, owner: str, work: Work) -> Told:
        """See `RateStorage.turn`; it never suspends, and `owner` is always the same."""
        del owner
        now = self._clock()
        if now >= self._sweep_at:
            self._sweep(now)
        window = self._windows.get(key)
        if window is None:
            window = self._windows[key] = _Window(self.window / SUB_WINDOWS)
        return window.turn(now, work)

    async def aclose(self) -> None:
        """There is nothing to close."""

    def _sweep(self, now: float) -> None:
        self._sweep_at = now + self.window
        self._windows = {
            key: window for key, window in self._windows.items() if window.is_used(now)
        }


class _Window:
    """The counts of one key by part, their sums, and the line before them."""

    __slots__ = ("_line", "_part_seconds", "_parts", "_paused_until", "_totals")

    def __init__(self, part_seconds: float) -> None:
        self._part_seconds = part_seconds
        self._parts: dict[int, list[int]] = {}
        self._totals = [0, 0, 0, 0]
        self._line: dict[str, Wish] = {}
        self._paused_until = -inf

    def turn(self, now: float, work: Work) -> Told:
        part = self._advance(now)
        if work.heard is not None:
            self._hear(now, part, work.heard)
        for change in work.changes:
            self._change(part, change)
        for wish in work.left:
            self._line.pop(wish.id, None)
        for wish in work.wishes:
            self._line.setdefault(wish.id, wish)
        return self._served(now, part, work.limits)

    def is_used(self, now: float) -> bool:
        self._advance(now)
        return bool(self._parts or self._line or now < self._paused_until)

    def _advance(self, now: float) -> int:
        """The present part; what is held no longer is forgotten."""
        part = int(now // self._part_seconds)
        for old in [old for old in self._parts if old <= part - HELD_PARTS]:
            for kind, count in enumerate(self._parts.pop(old)):
                self._totals[kind] -= count
        return part

    def _add(self, part: int, kind: int, count: int) -> None:
        self._parts.setdefault(part, [0, 0, 0, 0])[kind] += count
        self._totals[kind] += count

    def _book(self, part: int, counts: Counts) -> None:
        for kind, count in enumerate(counts):
            self._add(part, kind, count)

    def _change(self, part: int, change: Change) -> None:
        held = self._parts.get(change.part)
        for kind, delta in enumerate(change.delta):
            if delta > 0:
                self._add(part, kind, delta)
            elif delta < 0 and held is not None:
                self._add(change.part, kind, -min(-delta, held[kind]))

    def _hear(self, now: float, part: int, heard: Heard) -> None:
        self._paused_until = max(self._paused_until, now + heard.pause)
        for kind, used in enumerate(heard.used):
            lasting = ceil(heard.returns_in[kind] / self._part_seconds)
            if used is not None and lasting > 0 and used > self._totals[kind]:
                # The part whose time is over when the provider gives it back.
                as_of = min(part, part + 1 + lasting - HELD_PARTS)
                self._add(as_of, kind, used - self._totals[kind])

    def _served(self, now: float, part: int, limits: Limits) -> Told:
        pause = max(0.0, self._paused_until - now)
        granted: list[Granted] = []
        wait = pause
        while self._line and not pause:
            wish = next(iter(self._line.values()))
            wait = self._wait(now, wish, limits)
            if wait:
                break
            del self._line[wish.id]
            self._book(part, wish.counts)
            granted.append(Granted(wish.id, part))
        return Told(granted, len(self._line), wait, pause)

    def _wait(self, now: float, wish: Wish, limits: Limits) -> float:
        """Seconds until the wish fits, if nothing is given back; 0 if it fits now."""
        wait = 0.0
        for kind, limit in enumerate(limits):
            if limit is None or not wish.counts[kind]:
                continue
            over = self._totals[kind] + wish.counts[kind] - limit
            if over > 0:
                # At least a moment, whatever the rounding of floats makes of it.
                wait = max(wait, MOMENT, self._freed(now, kind, over) - now)
        return wait

    def _freed(self, now: float, kind: int, over: int) -> float:
        """When so much of a kind will have left."""
        for part in sorted(self._parts):
            over -= self._parts[part][kind]
            if over <= 0:
                return (part + HELD_PARTS) * self._part_seconds
        return now + HELD_PARTS * self._part_seconds
