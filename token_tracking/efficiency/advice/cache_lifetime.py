"""Whether keeping the cache for an hour, or for five minutes, would have paid."""

from collections.abc import Iterator

from token_tracking.efficiency.advice.kinds import FIVE_MINUTE_CACHE, ONE_HOUR_CACHE
from token_tracking.efficiency.advice.prices import paid
from token_tracking.efficiency.advice.quarters import ByQuarter
from token_tracking.efficiency.advice.steps import FIVE_MINUTES, ONE_HOUR, Step, Steps
from token_tracking.efficiency.advice.subjects import MAIN_CONVERSATION, SUBAGENTS
from token_tracking.efficiency.attribution.values import MAIN
from token_tracking.pricing import Rates
from token_tracking.shares import Finding

_Effect = tuple[int, int]
"""What a request would have cost less (pico-USD), and the tokens that would have been read where
they were written, or the reverse."""


def cache_lifetimes(steps: Steps) -> Iterator[Finding]:
    """What would have changed, had all that was written for five minutes been written for
    an hour (`one_hour_cache`): what lapsed between the two would have been read, and everything
    else would have cost the higher rate. And the reverse (`five_minute_cache`). Negative where it
    would have cost more. Each request counts when it was sent: what it would have written dearer,
    what it would have read."""
    longer, shorter = ByQuarter(ONE_HOUR_CACHE), ByQuarter(FIVE_MINUTE_CACHE)
    for step in steps.own:
        request, rates = step.request, step.request.rates
        assert rates is not None
        subject = MAIN_CONVERSATION if request.chain == MAIN else SUBAGENTS
        if request.usage.cache_write_5m_tokens:
            _add(longer, subject, request.at, _longer(step, rates))
        if request.usage.cache_write_1h_tokens or step.gap > FIVE_MINUTES:
            _add(shorter, subject, request.at, _shorter(step, rates))
    yield from longer.findings()
    yield from shorter.findings()


def _add(found: ByQuarter, subject: str, at: int, effect: _Effect) -> None:
    saved, moved = effect
    if saved:
        found.add(subject, at, saved, moved, int(moved > 0))


def _is_pause(step: Step) -> bool:
    """Whether the one lifetime ended since the request before it, and not the other."""
    before = step.before
    return (
        FIVE_MINUTES < step.gap <= ONE_HOUR
        and before is not None
        and before.model == step.request.model
    )


def _longer(step: Step, rates: Rates) -> _Effect:
    usage = step.request.usage
    written = usage.cache_write_5m_tokens
    saved = tokens = 0
    start = max(usage.cache_read_tokens, step.kept)
    if start < step.cached and _is_pause(step):
        tokens = step.cached - start
        saved = paid(step.request, start, step.cached) - tokens * rates.cache_read
        first = usage.cache_read_tokens + usage.cache_write_1h_tokens
        written -= max(0, min(first + written, step.cached) - max(first, start))
    return saved - written * (rates.cache_write_1h - rates.cache_write_5m), tokens


def _shorter(step: Step, rates: Rates) -> _Effect:
    usage = step.request.usage
    saved = usage.cache_write_1h_tokens * (rates.cache_write_1h - rates.cache_write_5m)
    lapsed = min(usage.cache_read_tokens, step.kept) if _is_pause(step) else 0
    return saved - lapsed * (rates.cache_write_5m - rates.cache_read), lapsed
