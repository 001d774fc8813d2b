"""Breaks of more than an hour in a long conversation: the whole prompt is written anew."""

from collections.abc import Iterator

from token_tracking.efficiency.advice.compaction import KEPT_TOKENS, base_tokens, call_pico
from token_tracking.efficiency.advice.kinds import IDLE_LAPSE
from token_tracking.efficiency.advice.prices import paid, write_rate
from token_tracking.efficiency.advice.steps import ONE_HOUR, Step, Steps
from token_tracking.efficiency.advice.subjects import LONG_BREAKS
from token_tracking.efficiency.attribution import Attribution
from token_tracking.efficiency.attribution.values import MAIN
from token_tracking.shares import Finding


def idle_lapses(steps: Steps, attribution: Attribution) -> Iterator[Finding]:
    """What the first request after each break cost more than it would have, had the conversation
    been compacted before the break, while it was cached. The call for that is taken off, and so
    is writing what it leaves. Shorter breaks are the matter of `cache_lifetime`: compacting before
    each of them would cost more than it saves."""
    base = base_tokens(attribution)
    for step in steps.own:
        if step.request.chain == MAIN and step.gap > ONE_HOUR:
            lost = step.cached - step.request.usage.cache_read_tokens
            pico = _net(step, base) if lost > 0 else 0
            if pico > 0:
                yield Finding(
                    kind=IDLE_LAPSE, subject=LONG_BREAKS, at=step.request.at, pico=pico, tokens=lost
                )


def _net(step: Step, base: int) -> int:
    request, rates = step.request, step.request.rates
    assert rates is not None
    read = request.usage.cache_read_tokens
    compacted = call_pico(step.tokens_before, rates)
    compacted += write_rate(request, rates) * max(0, base + KEPT_TOKENS - read)
    return paid(request, read, step.cached) - compacted
