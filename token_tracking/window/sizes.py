"""How many tokens blocks have for a model, counted once each, and how good that is.

Texts are estimated by the kinds of their characters: loading a vocabulary takes 0.3 s in which
nothing else runs, and what was billed for the last request corrects the sum. Who wants exact
counts gives a counter.
"""

from collections.abc import Mapping, Sequence
from math import hypot

from token_tracking.counting import TokenCounter
from token_tracking.counting.count import public_encoding
from token_tracking.counting.multipliers import (
    Multiplier,
    default_multiplier,
    learned_multiplier,
)
from token_tracking.counting.quick import QUICK_ERROR_P95, QUICK_METHOD, quick_tokens_many
from token_tracking.window.blocks import Block


class Sizer:
    """Counts for one model. `multipliers` are learned ones (`TokenStore.multipliers()`), `counter`
    is asked instead of estimating."""

    def __init__(
        self,
        model: str,
        *,
        multipliers: Mapping[str, Multiplier] | None = None,
        counter: TokenCounter | None = None,
    ) -> None:
        self._model = model
        self._counter = counter
        found = learned_multiplier(model, multipliers) or default_multiplier(model)
        self._factor = 1.0 if found is None else found.multiplier
        self.method = QUICK_METHOD if found is None else f"{QUICK_METHOD}, x {self._factor:.4g}"
        self.exact = False
        self.error_p95: float | None = _error(model, found)
        """Relative, of a text: that of the estimate and that of the model's multiplier together."""
        if counter is not None:
            self.method, self.exact, self.error_p95 = "", True, 0.0

    def size(self, blocks: Sequence[Block]) -> None:
        """Set the `tokens` of blocks that were not counted yet."""
        counts = self.texts([block.text for block in blocks])
        for block, tokens in zip(blocks, counts, strict=True):
            block.tokens = tokens + block.flat_tokens

    def texts(self, texts: Sequence[str]) -> list[int]:
        """The tokens of each text."""
        if self._counter is not None:
            return [self._asked(self._counter, text) for text in texts]
        factor = self._factor
        return [round(tokens * factor) for tokens in quick_tokens_many(texts)]

    def text_now(self, text: str) -> int:
        """The tokens of one text."""
        return self.texts([text])[0] if text else 0

    def _asked(self, counter: TokenCounter, text: str) -> int:
        """What a counter says; the least exact of its methods is told."""
        if not text:
            return 0
        found = counter.count_now(text, self._model)
        if not self.method or (self.exact and not found.exact):
            self.method = found.method
        self.exact = self.exact and found.exact
        if self.error_p95 is not None:
            error = found.error_p95
            self.error_p95 = None if error is None else max(self.error_p95, error)
        return found.tokens


def _error(model: str, multiplier: Multiplier | None) -> float | None:
    if multiplier is not None:
        return hypot(QUICK_ERROR_P95, multiplier.error_p95)
    return QUICK_ERROR_P95 if public_encoding(model) else None
