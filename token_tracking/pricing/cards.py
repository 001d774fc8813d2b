"""What a price list says of one model: its rates by prompt length and date.

These are the records of `snapshot.json`; the other sources of prices are read into them too.
"""

from typing import NamedTuple

from msgspec import Struct


class Band(NamedTuple):
    """Rates in pico-USD per token for prompts of more than `over` tokens.

    The length is that of the whole prompt (uncached, read from and written to the cache), and
    the band prices every token of the message, its output too. The first band is for all prompts.
    """

    over: int
    input: int
    output: int
    cache_read: int
    cache_write_5m: int
    cache_write_1h: int


class Card(Struct, frozen=True):
    """One price card: its bands by rising length; pico-USD per web search, or None if unknown."""

    bands: tuple[Band, ...]
    web_search: int | None


class Quote(NamedTuple):
    """A card and where it comes from."""

    card: Card
    source: str


class Period(Struct, frozen=True):
    """The cards of a model from `start_ms` on (None: from ever); None for what has no price."""

    start_ms: int | None
    standard: Card
    batch: Card | None
    fast: Card | None


class SnapshotModel(Struct, frozen=True):
    """A model of genai-prices: `match` are pairs of a rule (`equals`, `starts_with`, `contains`,
    `regex`) and its text, of which one must hold; `periods` by rising start."""

    id: str
    match: tuple[tuple[str, str], ...]
    context_window: int | None
    periods: tuple[Period, ...]


class Snapshot(Struct, frozen=True):
    """Every Claude model that one version of genai-prices knows."""

    genai_prices: str
    models: tuple[SnapshotModel, ...]
