"""Writes `snapshot.json`, the Claude part of the installed genai-prices.

    python -m token_tracking.pricing.snapshot

Importing genai-prices takes 200 ms; reading the snapshot takes one. A test compares the two.
"""

import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, time
from importlib.metadata import version
from pathlib import Path
from typing import Final

import msgspec
from genai_prices.data import providers
from genai_prices.types import (
    ClauseContains,
    ClauseEquals,
    ClauseOr,
    ClauseRegex,
    ClauseStartsWith,
    ConditionalPrice,
    MatchLogic,
    ModelInfo,
    ModelPrice,
    PriceVariant,
    StartDateConstraint,
    TimeOfDateConstraint,
)

from token_tracking.pricing.cards import Card, Period, Snapshot, SnapshotModel
from token_tracking.pricing.genai import card_of
from token_tracking.pricing.published import SNAPSHOT_FILE

_BATCH: Final = {"processing": "batch"}
_FAST: Final = {"speed": "fast"}
_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)


def make_snapshot() -> Snapshot:
    """The Claude models of the installed genai-prices.

    Raises:
        NotImplementedError: it describes them in a way that a snapshot cannot hold.
    """
    (anthropic,) = (provider for provider in providers if provider.id == "anthropic")
    return Snapshot(
        genai_prices=version("genai-prices"),
        models=tuple(model_of(model) for model in anthropic.models),
    )


def encoded(snapshot: Snapshot) -> bytes:
    """The bytes of the file: one line for each period, to make differences readable."""
    text = msgspec.json.format(msgspec.json.encode(snapshot), indent=1).decode()
    flat = re.sub(r"\[([^\[\]{}]*)\]", lambda found: f"[{' '.join(found[1].split())}]", text)
    return flat.encode() + b"\n"


def model_of(model: ModelInfo) -> SnapshotModel:
    """One model as a record. Raises as `make_snapshot` does."""
    variants = model.price_variants or []
    unknown = [variant.when for variant in variants if variant.when not in (_BATCH, _FAST)]
    if unknown:
        raise NotImplementedError(f"{model.id} has a price variant of a new kind: {unknown}")
    starts = [None, *sorted(set(_starts(model)))]
    return SnapshotModel(
        id=model.id,
        match=tuple(_rules(model.match)),
        context_window=model.context_window,
        periods=tuple(_period(model, start) for start in starts),
    )


def _period(model: ModelInfo, start: datetime | None) -> Period:
    at = start or _LONG_AGO
    return Period(
        start_ms=None if start is None else int(start.timestamp()) * 1000,
        standard=card_of(model.get_prices(at)),
        batch=_variant(model, at, _BATCH),
        fast=_variant(model, at, _FAST),
    )


def _variant(model: ModelInfo, at: datetime, context: dict[str, str]) -> Card | None:
    for variant in model.price_variants or []:
        active = variant.constraint is None or variant.constraint.active(at)
        if active and variant.when == context:
            return card_of(model.get_prices(at, context))
    return None


def _starts(model: ModelInfo) -> Iterator[datetime]:
    dated: list[ConditionalPrice | PriceVariant] = [*(model.price_variants or [])]
    if not isinstance(model.prices, ModelPrice):
        dated += model.prices
    for price in dated:
        match price.constraint:
            case StartDateConstraint(start_date=day):
                yield datetime.combine(day, time(), UTC)
            case TimeOfDateConstraint():
                raise NotImplementedError(f"{model.id} has prices by the time of day")
            case None:
                pass


def _rules(logic: MatchLogic) -> Iterator[tuple[str, str]]:
    match logic:
        case ClauseOr(or_=parts):
            for part in parts:
                yield from _rules(part)
        case ClauseEquals(equals=text):
            yield "equals", text
        case ClauseStartsWith(starts_with=text):
            yield "starts_with", text
        case ClauseContains(contains=text):
            yield "contains", text
        case ClauseRegex(regex=text):
            yield "regex", text
        case _:
            raise NotImplementedError(f"a model is matched in a new way: {logic}")


def main() -> None:
    """Write the file and say where."""
    snapshot = make_snapshot()
    Path(SNAPSHOT_FILE).write_bytes(encoded(snapshot))
    sys.stdout.write(
        f"{SNAPSHOT_FILE}: {len(snapshot.models)} models of genai-prices {snapshot.genai_prices}\n"
    )


if __name__ == "__main__":
    main()
