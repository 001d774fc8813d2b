"""Conversations that should have been compacted: what it would have saved, net."""

from collections.abc import Iterator
from typing import Final

from token_tracking.efficiency.advice.assumed import KEPT_TOKENS
from token_tracking.efficiency.advice.compaction import base_tokens, call_pico, rewrite_pico
from token_tracking.efficiency.advice.kinds import LATE_COMPACTION
from token_tracking.efficiency.advice.prices import paid, rates_at, rest_saved
from token_tracking.efficiency.advice.quarters import ByQuarter
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
    summary, and writing what it leaves. Later requests save what was removed, until the client
    compacts, and what is left costs what a prompt of its length does. Each counts when it would
    have been: negative where it would have cost more.

    What would have been read again for want of the detail is not known, and not counted."""
    base = base_tokens(attribution)
    own = [step for step in steps.own if step.request.chain == MAIN]
    longest = max((step.tokens for step in own), default=0)
    found = ByQuarter(LATE_COMPACTION)
    for size in SIZES:
        if longest > size > base + KEPT_TOKENS:
            _Replay(size, base, found).add(own)
    return found.findings()


class _Replay:
    """A conversation as it would have been."""

    def __init__(self, size: int, base: int, found: ByQuarter) -> None:
        self._size = size
        self._found = found
        self._left = base + KEPT_TOKENS
        self._removed: dict[int, int] = {}

    def add(self, steps: list[Step]) -> None:
        """Add what it would have cost less."""
        for step in steps:
            removed = self._removed.get(step.line, 0)
            if step.continues and step.tokens_before - removed > self._size:
                removed = self._compact(step, removed)
            if removed:
                self._save(step, removed)

    def _compact(self, step: Step, removed: int) -> int:
        """Before this request; what is removed then."""
        request = step.request
        prompt = step.tokens_before - removed
        cost = call_pico(prompt, rates_at(request, prompt))
        cost += rewrite_pico(request, rates_at(request, self._left))
        self._found.add(str(self._size), request.at, -cost, count=1)
        self._removed[step.line] = removed + prompt - self._left
        return self._removed[step.line]

    def _save(self, step: Step, removed: int) -> None:
        request, left = step.request, self._left
        end = max(left, min(left + removed, step.tokens))
        pico = paid(request, left, end)
        pico += rest_saved(request, left, end, rates_at(request, step.tokens - (end - left)))
        self._found.add(str(self._size), request.at, pico, end - left)
