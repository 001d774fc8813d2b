"""The package genai-prices, asked on demand: its import takes 200 ms, so it happens inside.

It is the source of the snapshot, and of the prices of models that the snapshot does not hold.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from token_tracking.errors import UnknownModelError
from token_tracking.pricing.cards import Band, Card, Quote
from token_tracking.pricing.money import pico_per_search, pico_per_token

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice, PriceCalculation, TieredPrices

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_STANDARD_TIERS: Final = ("standard", "default")


def installed_version() -> str:
    """The version of the installed package, without importing it."""
    from importlib.metadata import version  # noqa: PLC0415 - only models that are not known ask

    return version("genai-prices")


def card_of(price: ModelPrice) -> Card:
    """A price of genai-prices as a card.

    As there, tokens of a kind without a price of its own have that of the kind around it: cached
    tokens that of input, one-hour writes that of writes.

    Raises:
        ValueError: it has no input or output price, charges what a usage does not count, or a
            rate is no whole number of pico-USD.
    """
    prices: dict[str, Decimal | TieredPrices] = {
        key: value for key, value in vars(price).items() if value is not None
    }
    for key in ("input_mtok", "output_mtok"):
        if key not in prices:
            raise ValueError(f"it has no {key}")
    if prices.get("output_reasoning_mtok", prices["output_mtok"]) != prices["output_mtok"]:
        raise ValueError("it charges reasoning tokens apart from output")
    if "requests_kcount" in prices:
        raise ValueError("it charges each request")
    search = prices.pop("web_searches_kcount", None)
    return Card(
        bands=tuple(_band(prices, over) for over in _lengths(prices)),
        web_search=pico_per_search(search) if isinstance(search, Decimal) else None,
    )


def _lengths(prices: dict[str, Decimal | TieredPrices]) -> list[int]:
    starts = {
        tier.start
        for price in prices.values()
        if not isinstance(price, Decimal)
        for tier in price.tiers
    }
    return sorted({0, *starts})


def _band(prices: dict[str, Decimal | TieredPrices], over: int) -> Band:
    def rate(*keys: str) -> int:
        price = next(prices[key] for key in keys if key in prices)
        if isinstance(price, Decimal):
            return pico_per_token(price)
        tiers = [tier.price for tier in price.tiers if tier.start <= over and over > 0]
        return pico_per_token(tiers[-1] if tiers else price.base)

    return Band(
        over=over,
        input=rate("input_mtok"),
        output=rate("output_mtok"),
        cache_read=rate("cache_read_mtok", "input_mtok"),
        cache_write_5m=rate("cache_write_5m_mtok", "cache_write_mtok", "input_mtok"),
        cache_write_1h=rate("cache_write_1h_mtok", "cache_write_mtok", "input_mtok"),
    )


def ask(model: str, at_ms: int, speed: str, service_tier: str) -> Quote:
    """The price that genai-prices has for any model, of any provider (`openai/gpt-5`, `gpt-5`).

    Raises:
        UnknownModelError: it has none, or none that a usage can be priced with.
    """
    import genai_prices  # noqa: PLC0415 - 200 ms

    at = EPOCH + timedelta(milliseconds=at_ms)
    context = _context(speed, service_tier)
    found = _calculated(model, at, context)
    source = f"genai-prices {genai_prices.__version__}"
    if found is None:
        raise UnknownModelError(
            f"No price of the model {model!r} is known: add it to your prices file."
        )
    # Anthropic's priority tier is paid for beforehand; others charge more for each token.
    at_standard = service_tier in _STANDARD_TIERS or (
        service_tier == "priority" and "claude" in model
    )
    standard = speed == "standard" and at_standard
    if not standard and not _published(found.model, at, context):
        raise UnknownModelError(
            f"{source} has {model}, but no price for {context}: add one to your prices file, with"
            f" speed {speed!r} and service_tier {service_tier!r}."
        )
    try:
        return Quote(card_of(found.model_price), source)
    except ValueError as error:
        raise UnknownModelError(
            f"{source} has {model}, but {error}, which token counts do not tell: add a price to"
            " your prices file."
        ) from error


def _calculated(model: str, at: datetime, context: dict[str, str]) -> PriceCalculation | None:
    from genai_prices import Usage, calc_price  # noqa: PLC0415 - 200 ms

    provider, _, rest = model.partition("/")
    for name, provider_id in [(rest, provider), (model, None)] if rest else [(model, None)]:
        try:
            return calc_price(
                Usage(),
                name,
                provider_id=provider_id,
                genai_request_timestamp=at,
                price_context=context,
            )
        except LookupError:
            continue
    return None


def _context(speed: str, service_tier: str) -> dict[str, str]:
    context: dict[str, str] = {}
    if speed != "standard":
        context["speed"] = speed
    if service_tier == "batch":
        context["processing"] = "batch"
    elif service_tier != "standard":
        context["service_tier"] = service_tier
    return context


def _published(model: ModelInfo, at: datetime, context: dict[str, str]) -> bool:
    return any(
        variant.when == context and (variant.constraint is None or variant.constraint.active(at))
        for variant in model.price_variants or []
    )
