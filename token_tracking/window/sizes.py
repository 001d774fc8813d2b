"""How many tokens blocks have for a model, counted once each, and how good that is."""

from collections.abc import Mapping, Sequence
from typing import Final

from token_tracking.counting import TokenCounter
from token_tracking.counting.count import public_encoding
from token_tracking.counting.encodings import EncodingName
from token_tracking.counting.multipliers import (
    Multiplier,
    default_multiplier,
    learned_multiplier,
)
from token_tracking.counting.quick import QUICK_ERROR_P95, QUICK_METHOD, quick_tokens_many
from token_tracking.counting.tokens import encoding_tokens_many
from token_tracking.window.blocks import Block

EXACT_CHARACTERS: Final = 200_000
"""More new text than this at once is estimated by the kinds of its characters: a vocabulary takes
0.3 s to load, and counting 4 MB as long."""


class Sizer:
    """Counts for one model. `multipliers` are learned ones (`TokenStore.multipliers()`), `counter`
    is asked instead of anything else."""

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
        self._error = None if found is None else found.error_p95
        self._encoding: EncodingName | None = public_encoding(model) if found is None else None
        self.method = ""
        self.exact = True
        self.error_p95: float | None = 0.0

    def size(self, blocks: Sequence[Block]) -> None:
        """Set the `tokens` of blocks that were not counted yet."""
        counts = self.texts([block.text for block in blocks])
        for block, tokens in zip(blocks, counts, strict=True):
            block.tokens = tokens + block.flat_tokens

    def texts(self, texts: Sequence[str]) -> list[int]:
        """The tokens of each text."""
        if self._counter is not None:
            return [self._asked(text) for text in texts]
        if sum(map(len, texts)) > EXACT_CHARACTERS:
            return self._quick(texts)
        encoding: EncodingName = self._encoding or "o200k_base"
        counts = encoding_tokens_many(texts, encoding)
        if self._encoding is None:
            self._say(f"{encoding} x {self._factor:.4g}", self._error)
        else:
            self._say(encoding, 0.0, exact=True)
        return self._scaled(counts)

    def text_now(self, text: str) -> int:
        """The tokens of one text."""
        return self.texts([text])[0] if text else 0

    def _asked(self, text: str) -> int:
        assert self._counter is not None
        found = self._counter.count_now(text, self._model)
        self._say(found.method, found.error_p95, exact=found.exact)
        return found.tokens

    def _quick(self, texts: Sequence[str]) -> list[int]:
        error = 0.0 if self._encoding is not None else self._error
        if error is not None:
            error = max(error, QUICK_ERROR_P95)
        self._say(f"{QUICK_METHOD} x {self._factor:.4g}", error)
        return self._scaled(quick_tokens_many(texts))

    def _scaled(self, counts: list[int]) -> list[int]:
        factor = self._factor
        return counts if factor == 1.0 else [round(count * factor) for count in counts]

    def _say(self, method: str, error: float | None, *, exact: bool = False) -> None:
        """Keep the least exact of the methods that were used."""
        if not self.method or (self.exact and not exact):
            self.method = method
        self.exact = self.exact and exact
        known = self.error_p95 is not None and error is not None
        self.error_p95 = max(self.error_p95 or 0.0, error or 0.0) if known else None
