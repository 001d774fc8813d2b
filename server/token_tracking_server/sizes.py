"""Sizes of content in the tokens that a request pays for."""

import math
from collections.abc import Mapping

from token_tracking.counting import encoding_tokens
from token_tracking.counting.multipliers import NEWER_CLAUDE, Multiplier, default_multiplier


class Sizes:
    """Counts o200k_base tokens, and scales them to those of the newest Claude models, which have
    the most: a budget that holds for them holds for the others."""

    def __init__(self, scale: float = NEWER_CLAUDE.multiplier) -> None:
        self.scale = scale

    def learn(self, multipliers: Mapping[str, Multiplier]) -> None:
        """Scale by what was learned of the newest models, the most of it: a budget is kept for
        each of them."""
        learned = [
            each.multiplier
            for name, each in multipliers.items()
            if default_multiplier(name) is NEWER_CLAUDE
        ]
        self.scale = max(learned, default=NEWER_CLAUDE.multiplier)

    @property
    def basis(self) -> str:
        """How the figures were made, in few words."""
        return f"tokens estimated: o200k x{self.scale:.3g}"

    def o200k(self, text: str) -> int:
        """Tokens by o200k_base."""
        return encoding_tokens(text)

    def scaled(self, o200k: int) -> int:
        """Tokens of the model for so many by o200k_base."""
        return math.ceil(o200k * self.scale)

    def count(self, text: str) -> int:
        """Tokens of the model."""
        return self.scaled(self.o200k(text))
