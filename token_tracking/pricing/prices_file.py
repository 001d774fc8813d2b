"""Price files: TOML with a `[[price]]` for each price. The user's own, and our overlay.

    [[price]]
    model = "claude-opus-5-5"    # any name; with a trailing * any name that begins so
    from = 2026-01-01            # optional; a date begins at 00:00 UTC
    until = 2026-07-01           # optional; the first moment that is not included
    speed = "fast"               # optional: without it the price is that of standard speed
    service_tier = "batch"       # optional: without it the price is that of the standard tier
    input = 4                    # USD per million tokens, as all five
    output = 20
    cache_read = 0.2
    cache_write_5m = 5
    cache_write_1h = 8
    web_search = 10              # optional: USD per thousand searches
    source = "our contract"      # optional: a note, for who reads the file

    [price.long_prompt]          # optional: the five rates for prompts of more than `over` tokens
    over = 200_000
    ...

    [[price]]
    model = "arn:aws:bedrock:*"  # instead of rates: those of another model
    same_as = "claude-opus-5-5"

All three cache prices are required: nothing is assumed of them, as models differ (cache reads
from 0.025 to 0.1 of input). Without a cache, repeat the price of input.

A name that begins with `claude-` also prices the other spellings of that model. An exact name as
the provider writes it beats such a spelling, which beats a `*`; a longer text before the `*` beats
a shorter; among equals the last in the file wins.
"""

import tomllib
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, cast

from msgspec import Struct

from token_tracking.errors import InvalidPricesError
from token_tracking.pricing.cards import Band, Card
from token_tracking.pricing.money import pico_per_search, pico_per_token

RATES: Final = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h")
STANDARD: Final = "standard"
_TEXTS: Final = ("speed", "service_tier", "same_as", "source")
_KEYS: Final = frozenset(
    {"model", "from", "until", "web_search", "long_prompt", *RATES, *_TEXTS},
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class PriceEntry(Struct, frozen=True, kw_only=True):
    """One `[[price]]`: either a card, or `same_as` another model with `changes` (pico-USD per
    token by name of the rate). Milliseconds since 1970 UTC, half-open; None: no bound."""

    model: str
    from_ms: int | None
    until_ms: int | None
    speed: str
    service_tier: str
    card: Card | None
    same_as: str | None
    changes: dict[str, int]

    def holds_at(self, at_ms: int) -> bool:
        """Whether the price is in force."""
        return (self.from_ms is None or self.from_ms <= at_ms) and (
            self.until_ms is None or at_ms < self.until_ms
        )


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a price file, with exact decimals.

    Raises:
        InvalidPricesError: it cannot be read, or is no TOML.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InvalidPricesError(
            f"{path}: there is no such prices file; create it or correct its path."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidPricesError(
            f"{path} cannot be read ({error}): a prices file is a readable file of UTF-8 text."
        ) from error
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise InvalidPricesError(f"{path} is no valid TOML: {error}. Correct it there.") from error


def read_prices(path: Path) -> tuple[PriceEntry, ...]:
    """The prices of the user's file.

    Raises:
        InvalidPricesError: it is missing or no price file; the text says which key and what to do.
    """
    tables = read_toml(path)
    for key in tables:
        if key != "price":
            raise InvalidPricesError(
                f"{path}: {key} is not known at the top; write each price under [[price]]."
            )
    found = entries(tables, path)
    for entry in found:
        if entry.changes:
            raise InvalidPricesError(
                f"{path}: the price of {entry.model} has same_as and rates of its own:"
                " write one or the other."
            )
    return found


def entries(tables: dict[str, Any], path: Path) -> tuple[PriceEntry, ...]:
    """The entries under `[[price]]`.

    Raises:
        InvalidPricesError: as `read_prices`.
    """
    raw: object = tables.get("price", [])
    if not isinstance(raw, list):
        raise InvalidPricesError(f"{path}: write [[price]] with two brackets, once for each price.")
    found: list[PriceEntry] = []
    for number, table in enumerate(cast("list[object]", raw), 1):
        if not isinstance(table, dict):
            raise InvalidPricesError(f"{path}, price {number}: it is no table; write [[price]].")
        found.append(_entry(cast("dict[str, Any]", table), f"{path}, price {number}"))
    return tuple(found)


def _entry(table: dict[str, Any], where: str) -> PriceEntry:
    model = _text(table, "model", where)
    if model is None:
        raise InvalidPricesError(f'{where}: model is missing; write model = "the model\'s name".')
    where = f"{where} ({model})"
    for key in table:
        if key not in _KEYS:
            raise InvalidPricesError(
                f"{where}: the key {key} is not known; the keys are {', '.join(sorted(_KEYS))}."
            )
    if "*" in model[:-1]:
        raise InvalidPricesError(f"{where}: model may have one *, at its end.")
    from_ms, until_ms = _moment(table, "from", where), _moment(table, "until", where)
    if from_ms is not None and until_ms is not None and until_ms <= from_ms:
        raise InvalidPricesError(f"{where}: until must be later than from.")
    speed, tier = _text(table, "speed", where), _text(table, "service_tier", where)
    same_as = _text(table, "same_as", where)
    _text(table, "source", where)
    if same_as is not None and (speed or tier or "long_prompt" in table or "web_search" in table):
        raise InvalidPricesError(
            f"{where}: same_as takes every price of {same_as}; leave the other keys out."
        )
    return PriceEntry(
        model=model.lower().strip(),
        from_ms=from_ms,
        until_ms=until_ms,
        speed=speed or STANDARD,
        service_tier=tier or STANDARD,
        card=_card(table, where) if same_as is None else None,
        same_as=same_as,
        changes={key: _rate(table, key, where) for key in RATES if key in table and same_as},
    )


def _card(table: dict[str, Any], where: str) -> Card:
    bands = [Band(0, *(_rate(table, key, where) for key in RATES))]
    long_prompt: object = table.get("long_prompt")
    if long_prompt is not None:
        bands.append(_long_band(long_prompt, f"{where}, long_prompt"))
    search = None
    if "web_search" in table:
        search = _pico(table, "web_search", where, per_search=True)
    return Card(tuple(bands), search)


def _long_band(raw: object, where: str) -> Band:
    if not isinstance(raw, dict):
        raise InvalidPricesError(f"{where}: write it as a table, [price.long_prompt].")
    table = cast("dict[str, Any]", raw)
    for key in table:
        if key not in {"over", *RATES}:
            raise InvalidPricesError(f"{where}: the key {key} is not known; leave it out.")
    over: object = table.get("over")
    if type(over) is not int or over <= 0:
        raise InvalidPricesError(
            f"{where}: over is {over!r}; write the tokens above which the prices hold, from 1."
        )
    return Band(over, *(_rate(table, key, where) for key in RATES))


def _rate(table: dict[str, Any], key: str, where: str) -> int:
    if key not in table:
        hint = "; without a cache, repeat the price of input" if key.startswith("cache") else ""
        raise InvalidPricesError(
            f"{where}: {key} is missing; write its price in USD per million tokens{hint}."
        )
    return _pico(table, key, where, per_search=False)


def _pico(table: dict[str, Any], key: str, where: str, *, per_search: bool) -> int:
    value: object = table[key]
    unit = "thousand searches" if per_search else "million tokens"
    if type(value) is not int and not isinstance(value, Decimal):
        raise InvalidPricesError(
            f"{where}: {key} is {value!r}; write a number, USD per {unit}, without quotes."
        )
    try:
        return (pico_per_search if per_search else pico_per_token)(Decimal(value))
    except ValueError as error:
        raise InvalidPricesError(
            f"{where}: {key} is {value}, which {error}; write USD per {unit}."
        ) from error


def _text(table: dict[str, Any], key: str, where: str) -> str | None:
    value: object = table.get(key)
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip():
        raise InvalidPricesError(f"{where}: {key} is {value!r}; write a text in quotes.")
    return value


def _moment(table: dict[str, Any], key: str, where: str) -> int | None:
    value: object = table.get(key)
    if value is None:
        return None
    if isinstance(value, datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=UTC)
    elif isinstance(value, date):
        moment = datetime.combine(value, time(), UTC)
    else:
        raise InvalidPricesError(
            f"{where}: {key} is {value!r}; write a date without quotes, such as 2026-10-07."
        )
    return (moment - _EPOCH) // timedelta(milliseconds=1)
