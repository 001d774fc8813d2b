"""Whether keeping the cache for an hour, or for five minutes, would have paid."""

from collections.abc import Callable, Iterable, Iterator

from token_tracking.efficiency.advice.kinds import FIVE_MINUTE_CACHE, ONE_HOUR_CACHE
from token_tracking.efficiency.advice.prices import paid
from token_tracking.efficiency.advice.steps import FIVE_MINUTES, ONE_HOUR, Step, Steps
from token_tracking.efficiency.advice.subjects import MAIN_CONVERSATION, SUBAGENTS
from token_tracking.efficiency.attribution.values import MAIN
from token_tracking.pricing import Rates
from token_tracking.shares import Finding

_Effect = tuple[int, int]
"""What a request would have cost less (pico-USD), and the tokens that would have been read where
they were written, or the reverse."""


def cache_lifetimes(steps: Steps) -> Iterator[Finding]:
    """Exactly what would have changed, had all that was written for five minutes been written for
    an hour (`one_hour_cache`): what lapsed between the two would have been read, and everything
    else would have cost the higher rate. And the reverse (`five_minute_cache`). Negative where it
    would have cost more."""
    for subject in (MAIN_CONVERSATION, SUBAGENTS):
        is_main = subject == MAIN_CONVERSATION
        own = [step for step in steps.own if (step.request.chain == MAIN) == is_main]
        short = [step for step in own if step.request.usage.cache_write_5m_tokens]
        yield from _finding(ONE_HOUR_CACHE, subject, short, _longer)
        long = [
            step
            for step in own
            if step.request.usage.cache_write_1h_tokens or step.gap > FIVE_MINUTES
        ]
        yield from _finding(FIVE_MINUTE_CACHE, subject, long, _shorter)


def _finding(
    kind: str, subject: str, steps: Iterable[Step], effect_of: Callable[[Step, Rates], _Effect]
) -> Iterator[Finding]:
    pico = tokens = count = 0
    at: int | None = None
    for step in steps:
        rates = step.request.rates
        assert rates is not None
        saved, moved = effect_of(step, rates)
        if saved:
            at = step.request.at if at is None else at
            pico += saved
            tokens += moved
            count += moved > 0
    if at is not None and pico:
        yield Finding(
            kind=kind,
            subject=subject,
            at=at,
            pico=pico,
            tokens=tokens,
            count=count,
            is_measured=True,
        )


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
