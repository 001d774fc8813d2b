"""Sizes of content in the tokens that a request pays for."""

import math
from typing import Final

from token_tracking.counting import encoding_tokens

_SCALE: Final = 1.54


class Sizes:
    """Counts o200k_base tokens, and scales them to those of a model (the newest Claude's)."""

    def __init__(self, scale: float = _SCALE) -> None:
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
