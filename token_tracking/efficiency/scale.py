"""From tokens as they were counted to tokens as a model bills them."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from token_tracking.counting.multipliers import (
    NEWER_CLAUDE,
    Multiplier,
    default_multiplier,
    learned_multiplier,
)


class Scale(NamedTuple):
    """How many tokens a model bills for one that was counted, and the relative error of that in
    95 of 100 texts (0.08 is 8%); `None` where it was not measured."""

    factor: float = 1.0
    error_p95: float | None = None

    def tokens(self, counted: int) -> int:
        """Counted tokens as this model bills them, to the nearest whole one."""
        return round(counted * self.factor)


ScaleOf = Callable[[str | None], Scale]
"""The scale of a model; `None` is for a message that names none."""


def scales(multipliers: Mapping[str, Multiplier] | None = None) -> ScaleOf:
    """The scale of each model: by what was learned of it, or else by its family's default. A
    message that names no model counts as one of the newest Claude's, as counts of texts do."""

    def scale_of(model: str | None) -> Scale:
        if model is None:
            known = NEWER_CLAUDE
        else:
            known = learned_multiplier(model, multipliers) or default_multiplier(model)
        return Scale() if known is None else Scale(known.multiplier, known.error_p95)

    return scale_of
