"""Conversations that should have been compacted: what it would have saved, net."""

from collections.abc import Iterator
from typing import Final

from token_tracking.efficiency.advice.compaction import (
    KEPT_TOKENS,
    base_tokens,
    call_pico,
    rewrite_pico,
)
from token_tracking.efficiency.advice.kinds import LATE_COMPACTION
from token_tracking.efficiency.advice.prices import paid
from token_tracking.efficiency.advice.steps import Step, Steps
from token_tracking.efficiency.attribution import Attribution
from token_tracking.efficiency.attribution.values import MAIN
from token_tracking.shares import Finding

SIZES: Final = (100_000, 150_000, 200_000, 300_000)
"""Prompt sizes (tokens) at which compacting is tried: each is a finding of its own, of which a
period shows the best. Windows are 200,000 and 1,000,000 tokens."""


def late_compactions(steps: Steps, attribution: Attribution) -> Iterator[Finding]:
    """For each size: what the main conversation would have cost less, had it been compacted
    whenever its prompt passed that size. Each compaction is paid for: reading the prompt, the
    summary, and writing what it leaves. Later requests save what was removed, at the rates that
    they were billed at, until the client compacts. Negative where it would have cost more.

    What would have been read again for want of the detail is not known, and not counted."""
    base = base_tokens(attribution)
    own = [step for step in steps.own if step.request.chain == MAIN]
    longest = max((step.tokens for step in own), default=0)
    for size in SIZES:
        if longest > size > base + KEPT_TOKENS:
            found = _Replay(size, base).of(own)
            if found is not None:
                yield found


class _Replay:
    """A conversation as it would have been."""

    def __init__(self, size: int, base: int) -> None:
        self._size = size
        self._left = base + KEPT_TOKENS
        self._removed: dict[int, int] = {}
        self._pico = self._tokens = self._count = 0
        self._at: int | None = None

    def of(self, steps: list[Step]) -> Finding | None:
        for step in steps:
            removed = self._removed.get(step.line, 0)
            if step.continues and step.tokens_before - removed > self._size:
                removed = self._compact(step, removed)
            if removed:
                self._save(step, removed)
        if self._at is None or not self._pico:
            return None
        return Finding(
            kind=LATE_COMPACTION,
            subject=str(self._size),
            at=self._at,
            pico=self._pico,
            tokens=self._tokens,
            count=self._count,
        )

    def _compact(self, step: Step, removed: int) -> int:
        """Before this request; what is removed then."""
        rates = step.request.rates
        assert rates is not None
        prompt = step.tokens_before - removed
        self._pico -= call_pico(prompt, rates) + rewrite_pico(step.request, rates)
        self._count += 1
        self._at = step.request.at if self._at is None else self._at
        self._removed[step.line] = removed + prompt - self._left
        return self._removed[step.line]

    def _save(self, step: Step, removed: int) -> None:
        end = min(self._left + removed, step.tokens)
        self._pico += paid(step.request, self._left, end)
        self._tokens += max(0, end - self._left)
