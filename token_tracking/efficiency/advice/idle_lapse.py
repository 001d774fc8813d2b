"""Breaks of more than an hour in a long conversation: the whole prompt is written anew."""

from collections.abc import Iterator

from token_tracking.efficiency.advice.assumed import KEPT_TOKENS
from token_tracking.efficiency.advice.compaction import base_tokens, call_pico
from token_tracking.efficiency.advice.kinds import IDLE_LAPSE
from token_tracking.efficiency.advice.prices import paid, rates_at, rest_saved, write_rate
from token_tracking.efficiency.advice.quarters import ByQuarter
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
    found = ByQuarter(IDLE_LAPSE)
    for step in steps.own:
        if step.request.chain == MAIN and step.gap > ONE_HOUR:
            lost = step.cached - step.request.usage.cache_read_tokens
            pico = _net(step, base) if lost > 0 else 0
            if pico > 0:
                found.add(LONG_BREAKS, step.request.at, pico, lost, 1)
    return found.findings()


def _net(step: Step, base: int) -> int:
    request = step.request
    read = request.usage.cache_read_tokens
    written = max(0, base + KEPT_TOKENS - read)
    shorter = rates_at(request, step.tokens - (step.cached - read) + written)
    compacted = call_pico(step.tokens_before, rates_at(request, step.tokens_before))
    compacted += write_rate(request, shorter) * written
    return (
        paid(request, read, step.cached)
        + rest_saved(request, read, step.cached, shorter)
        - compacted
    )
