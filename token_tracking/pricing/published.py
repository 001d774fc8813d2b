"""The published prices of Claude models: the snapshot of genai-prices under our overlay.

Both files are read once, when a price is first asked for.
"""

import re
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

import msgspec
from msgspec import Struct

from token_tracking.pricing.cards import Card, Period, Quote, Snapshot, SnapshotModel
from token_tracking.pricing.names import read_model_name
from token_tracking.pricing.prices_file import STANDARD, PriceEntry, entries, read_toml

SNAPSHOT_FILE: Final = Path(__file__).with_name("snapshot.json")
OVERLAY_FILE: Final = Path(__file__).with_name("overlay.toml")


class Multiplier(Struct, frozen=True):
    """A factor of every token price, and the models that it leaves alone."""

    factor: Decimal
    exempt: frozenset[str]


class ModelLimits(Struct, frozen=True):
    """Tokens; None for what no source tells."""

    context_window: int | None
    max_output_tokens: int | None


class Published:
    """The price lists that ship with the package. `model` is a plain name (`ModelName.model`)."""

    def __init__(self, snapshot: Snapshot, overlay: dict[str, Any]) -> None:
        self.version: Final = snapshot.genai_prices
        self.batch: Final = _multiplier(overlay["batch"])
        self.bedrock_regional: Final = _multiplier(overlay["bedrock_regional"])
        self.geos: Final = {
            geo: _multiplier(table) for geo, table in overlay["inference_geo"].items()
        }
        self.overlay: Final = overlay
        self._models: Final = snapshot.models
        self._by_name: Final = {read_model_name(model.id).model: model for model in self._models}
        self._overlay: Final = entries(overlay, OVERLAY_FILE)
        self._limits: Final = cast("dict[str, dict[str, Any]]", overlay["limits"])

    @property
    def models(self) -> list[str]:
        """The plain names of the models that genai-prices has."""
        return list(self._by_name)

    def edges(self) -> set[int]:
        """Every moment at which some price changes."""
        dates = [at for entry in self._overlay for at in (entry.from_ms, entry.until_ms)]
        dates += [period.start_ms for model in self._models for period in model.periods]
        return {at for at in dates if at is not None}

    def knows(self, model: str) -> bool:
        """Whether there is a price of the model, at some date."""
        return self._snapshot_model(model) is not None or any(
            entry.model == model for entry in self._overlay
        )

    def family(self, model: str) -> str:
        """The name under which the lists have the model: `claude-2` for `claude-2.1`."""
        found = self._snapshot_model(model)
        return model if found is None else read_model_name(found.id).model

    def overlaid(self, model: str, at_ms: int, speed: str, service_tier: str) -> Quote | None:
        """The price that the overlay has."""
        for entry in self._overlay:
            if entry.model != model or not entry.holds_at(at_ms):
                continue
            if entry.same_as is not None:
                quote = self._copied(entry, at_ms, speed, service_tier)
                if quote is not None:
                    return quote
            elif entry.card and (entry.speed, entry.service_tier) == (speed, service_tier):
                return Quote(entry.card, "overlay")
        return None

    def listed(self, model: str, at_ms: int, speed: str, service_tier: str) -> Quote | None:
        """The price that genai-prices has."""
        found = self._snapshot_model(model)
        if found is None:
            return None
        card = _card(_period_at(found, at_ms), speed, service_tier)
        return None if card is None else Quote(card, f"genai-prices {self.version}")

    def limits(self, name: str) -> ModelLimits | None:
        """Context window and maximum output of a model."""
        said = read_model_name(name)
        found = self._snapshot_model(said.model)
        table = self._limits.get(said.model)
        if table is None:
            window = None if found is None else found.context_window
            return None if window is None else ModelLimits(window, None)
        window = table.get("long_context") if said.long_context else None
        return ModelLimits(window or table["context_window"], table.get("max_output_tokens"))

    def _copied(self, entry: PriceEntry, at_ms: int, speed: str, tier: str) -> Quote | None:
        assert entry.same_as is not None
        if not entry.changes:
            quote = self.listed(entry.same_as, at_ms, speed, tier)
            return quote and Quote(quote.card, "overlay")
        if (speed, tier) != (STANDARD, STANDARD):
            return None
        quote = self.listed(entry.same_as, at_ms, speed, tier)
        assert quote is not None
        bands = tuple(band._replace(**entry.changes) for band in quote.card.bands)
        return Quote(Card(bands, quote.card.web_search), "overlay")

    def _snapshot_model(self, model: str) -> SnapshotModel | None:
        found = self._by_name.get(model)
        if found is None:
            found = next((other for other in self._models if _matches(other, model)), None)
        return found


@cache
def published() -> Published:
    """The lists of the package, read at the first call."""
    snapshot = msgspec.json.decode(SNAPSHOT_FILE.read_bytes(), type=Snapshot)
    return Published(snapshot, read_toml(OVERLAY_FILE))


def limits(model: str) -> ModelLimits | None:
    """Context window and maximum output in tokens, of any spelling of a Claude model's name.

    With `[1m]` the window is that of the long-context beta. None: no source tells.
    """
    return published().limits(model)


def _multiplier(table: dict[str, Any]) -> Multiplier:
    return Multiplier(Decimal(table["multiplier"]), frozenset(table.get("except", ())))


def _period_at(model: SnapshotModel, at_ms: int) -> Period:
    begun = [period for period in model.periods if (period.start_ms or 0) <= at_ms]
    return begun[-1] if begun else model.periods[0]


def _card(period: Period, speed: str, service_tier: str) -> Card | None:
    match speed, service_tier:
        case "standard", "standard":
            return period.standard
        case "standard", "batch":
            return period.batch
        case "fast", "standard":
            return period.fast
        case _:
            return None


def _matches(model: SnapshotModel, name: str) -> bool:
    return any(_holds(rule, text, name) for rule, text in model.match)


def _holds(rule: str, text: str, name: str) -> bool:
    match rule:
        case "equals":
            return name == text
        case "starts_with":
            # claude-opus-4-10 is no claude-opus-4-1
            return name.startswith(text) and not name[len(text) :][:1].isdigit()
        case "contains":
            return text in name
        case _:
            return re.search(text, name) is not None
