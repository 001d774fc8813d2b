"""Sums of messages, as a store has them."""

from token_tracking.efficiency.trends import StepSums
from token_tracking.store import Sums

USD = 10**12


def sums(messages: int = 1, cost: float = 1, plain: float | None = None, **more: int) -> Sums:
    """Messages of 1,000 prompt tokens, half of them read; together `cost` USD, and `plain` uncached
    (twice as much by default)."""
    given = {
        "input_tokens": 500 * messages,
        "cache_read_tokens": 500 * messages,
        "output_tokens": 10 * messages,
        **more,
    }
    uncached = 2 * cost if plain is None else plain
    return Sums(
        messages=messages,
        cost_pico=round(cost * USD),
        no_cache_pico=round(uncached * USD),
        **given,
    )


def step(*parts: Sums, start: int = 0) -> StepSums:
    """A step of these models' sums."""
    models = {f"model-{number}": part for number, part in enumerate(parts)}
    return StepSums(label=str(start), start=start, models=models)
