"""Sizes of content in the tokens that a request pays for."""

import math

from token_tracking.counting import encoding_tokens
from token_tracking.counting.multipliers import NEWER_CLAUDE


class Sizes:
    """Counts o200k_base tokens, and scales them to those of the newest Claude models, which have
    the most: a budget that holds for them holds for the others."""

    def __init__(self, scale: float = NEWER_CLAUDE.multiplier) -> None:
        self.scale = scale

    @property
    def basis(self) -> str:
        """How the figures were made, in few words."""
        return f"tokens estimated: o200k x{self.scale:g}"

    def o200k(self, text: str) -> int:
        """Tokens by o200k_base."""
        return encoding_tokens(text)

    def scaled(self, o200k: int) -> int:
        """Tokens of the model for so many by o200k_base."""
        return math.ceil(o200k * self.scale)

    def count(self, text: str) -> int:
        """Tokens of the model."""
        return self.scaled(self.o200k(text))
