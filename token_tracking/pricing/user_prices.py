"""The prices in the user's file, and which of them is for a name."""

from pathlib import Path
from typing import Final

from token_tracking.pricing.names import ModelName, read_model_name
from token_tracking.pricing.prices_file import PriceEntry, read_prices

USER: Final = "user"


class UserPrices:
    """The prices of one file.

    Raises:
        InvalidPricesError: the file is missing or no price file.
    """

    def __init__(self, path: Path) -> None:
        self._entries: Final = read_prices(path)

    def edges(self) -> set[int]:
        """Every moment at which some price changes."""
        dates = [at for entry in self._entries for at in (entry.from_ms, entry.until_ms)]
        return {at for at in dates if at is not None}

    def find(
        self, raw: str, name: ModelName, at_ms: int, speed: str, service_tier: str
    ) -> PriceEntry | None:
        """The entry that fits best; among equals the last."""
        best: PriceEntry | None = None
        best_fit = 0
        for entry in self._entries:
            mode = entry.same_as is not None or (
                (entry.speed, entry.service_tier) == (speed, service_tier)
            )
            if mode and entry.holds_at(at_ms):
                fit = _fit(entry.model, raw.lower().strip(), name.model)
                if fit and fit >= best_fit:
                    best, best_fit = entry, fit
        return best


_ANY_LENGTH: Final = 10**6


def _fit(pattern: str, raw: str, model: str) -> int:
    """How closely a pattern names a model; 0: not at all."""
    if pattern == raw:
        return _ANY_LENGTH + 2
    if pattern.endswith("*"):
        start = pattern[:-1]
        return len(pattern) if raw.startswith(start) or model.startswith(start) else 0
    if pattern.startswith("claude-") and read_model_name(pattern).model == model:
        return _ANY_LENGTH + 1
    return 0
