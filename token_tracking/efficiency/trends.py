"""A period in steps, and against the one before it."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Final

from msgspec import Struct

from token_tracking.efficiency.ratios import LEAST_STEPS, Step, differ, ratio
from token_tracking.efficiency.savings import LedgerSums, percent
from token_tracking.efficiency.snapshot import Change, Direction, StepSize, Trend, TrendPoint
from token_tracking.pricing import usd

THRESHOLD: Final = 0.05
"""A change of less than a twentieth is stable, even where the test could tell it."""


LEAST_MESSAGES: Final = 30
"""Of fewer, a mean of costs as skewed as those of messages is no normal one (a rule of thumb, as in
Cochran, Sampling Techniques, section 2.15)."""


class StepSums(Struct, frozen=True, kw_only=True):
    """One step: its label, its start (milliseconds since 1970 UTC), and its sums by model."""

    label: str
    start: int
    models: Mapping[str, LedgerSums]


class _Figure(Struct, frozen=True):
    """A figure of a trend: a ratio, of money or of tokens, and whether less of it is better."""

    name: str
    words: str
    step: Callable[[LedgerSums], Step]
    less_is_better: bool


def _priced(sums: LedgerSums) -> int:
    return sums.messages - sums.unpriced_messages


def _cost_step(sums: LedgerSums) -> Step:
    return sums.cost_pico / 10**12, _priced(sums)


def _read_step(sums: LedgerSums) -> Step:
    return sums.cache_read_tokens, sums.prompt_tokens


def _saved_step(sums: LedgerSums) -> Step:
    return (sums.no_cache_pico - sums.cost_pico) / 10**10, sums.no_cache_pico / 10**12


def _prompt_step(sums: LedgerSums) -> Step:
    return sums.prompt_tokens, sums.messages


_FIGURES: Final = (
    _Figure("cost_per_message", "The cost of a message", _cost_step, True),
    _Figure("hit_rate", "The share of prompts read from the cache", _read_step, False),
    _Figure("efficiency", "What caching saved of the uncached cost", _saved_step, False),
    _Figure("prompt_tokens_per_message", "The prompt of a message", _prompt_step, True),
)


def calculate_trend(
    period: str,
    step: StepSize,
    steps: Sequence[StepSums],
    before: Sequence[StepSums] | None = None,
) -> Trend:
    """A period in `steps`, and against the steps of the period before it (`None`: there is none).

    Each figure is a ratio of sums: USD a message, the share of prompt tokens read from the cache (0
    to 1), the percentage that caching saved, prompt tokens a message. It improves or declines
    where `ratios.differ` can tell and it changed by at least `THRESHOLD`.
    """
    changes = [_change(figure, steps, before) for figure in _FIGURES]
    return Trend(
        period=period,
        step=step,
        points=[_point(each) for each in steps],
        changes=changes,
        direction=changes[0].direction,
    )


def _point(step: StepSums) -> TrendPoint:
    rows = step.models.values()
    messages = sum(row.messages for row in rows)
    prompt = sum(row.prompt_tokens for row in rows)
    read = sum(row.cache_read_tokens for row in rows)
    cost, plain = sum(row.cost_pico for row in rows), sum(row.no_cache_pico for row in rows)
    priced = sum(_priced(row) for row in rows)
    return TrendPoint(
        label=step.label,
        start=step.start,
        messages=messages,
        prompt_tokens=prompt,
        output_tokens=sum(row.output_tokens for row in rows),
        cost_usd=usd(cost) if priced or not messages else None,
        hit_rate=read / prompt if prompt else None,
        efficiency=percent(plain - cost, plain),
        models={name: _cost(sums) for name, sums in step.models.items()},
        model_tokens={
            name: sums.prompt_tokens + sums.output_tokens for name, sums in step.models.items()
        },
    )


def _cost(sums: LedgerSums) -> Decimal | None:
    return usd(sums.cost_pico) if _priced(sums) else None


def _change(
    figure: _Figure, steps: Sequence[StepSums], earlier: Sequence[StepSums] | None
) -> Change:
    now, before = ratio(_steps(figure, steps)), ratio(_steps(figure, earlier or ()))
    told = differ(now, before)
    change = None
    if now.value is not None and before.value:
        change = (now.value - before.value) / abs(before.value)
    fewest = min(_messages(steps), _messages(earlier or ()))
    if earlier is None:
        reason = "There is no period before this one."
    elif told is None:
        reason = f"Too few to tell: {_few(now.steps, before.steps)}."
    elif fewest < LEAST_MESSAGES:
        told = None
        reason = f"Too few to tell: {fewest} messages in a period that needs {LEAST_MESSAGES}."
    elif not told:
        reason = f"{figure.words} varies so much that the difference may be chance (95%)."
    elif change is not None and abs(change) < THRESHOLD:
        reason = f"{figure.words} changed by less than {THRESHOLD:.0%}."
    else:
        reason = f"{figure.words} changed by more than chance explains (95%)."
    direction = _direction(figure, (now.value or 0) - (before.value or 0), change, bool(told))
    return Change(
        metric=figure.name,
        now=now.value,
        before=before.value,
        change=change,
        direction=direction,
        can_tell=bool(told),
        reason=reason,
    )


def _messages(steps: Sequence[StepSums]) -> int:
    return sum(sums.messages for step in steps for sums in step.models.values())


def _steps(figure: _Figure, steps: Sequence[StepSums]) -> list[Step]:
    found: list[Step] = []
    for each in steps:
        parts = [figure.step(sums) for sums in each.models.values()]
        found.append((sum(y for y, _ in parts), sum(x for _, x in parts)))
    return found


def _direction(
    figure: _Figure, difference: float, change: float | None, can_tell: bool
) -> Direction:
    if not can_tell or (change is not None and abs(change) < THRESHOLD):
        return "stable"
    return "improving" if (difference < 0) == figure.less_is_better else "declining"


def _few(now: int, before: int) -> str:
    if not before:
        return "the period before has no messages"
    if not now:
        return "the period has no messages"
    return (
        f"{now} steps with messages, and {before} in the period before, of which either needs"
        f" {LEAST_STEPS}"
    )
