"""genai-prices is the oracle: for all that it publishes, our integers equal its decimals."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import NamedTuple

import genai_prices
import pytest
from genai_prices.data import providers
from genai_prices.types import (
    ModelInfo,
    ModelPrice,
    PriceCalculation,
    StartDateConstraint,
    TieredPrices,
)

from token_tracking.errors import UnknownModelError
from token_tracking.pricing import PriceBook
from token_tracking.usage import Usage

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TODAY = datetime(2026, 11, 21, 12, tzinfo=UTC)
TICK = timedelta(milliseconds=1)
CLAUDE = {model.id: model for model in next(p for p in providers if p.id == "anthropic").models}
OVERLAID_FAST = {"claude-opus-4-6", "claude-opus-4-7"}
BATCH = {"processing": "batch"}
FAST = {"speed": "fast"}


class Case(NamedTuple):
    model: ModelInfo
    at: datetime
    usage: Usage


def millis(at: datetime) -> int:
    return (at - EPOCH) // TICK


def starts(model: ModelInfo) -> set[datetime]:
    """The first moment of every price period, standard or variant."""
    dated = list(model.price_variants or [])
    constraints = [variant.constraint for variant in dated]
    if not isinstance(model.prices, ModelPrice):
        constraints += [price.constraint for price in model.prices]
    return {
        datetime.combine(constraint.start_date, time(), UTC)
        for constraint in constraints
        if isinstance(constraint, StartDateConstraint)
    }


def tier_starts(model: ModelInfo) -> set[int]:
    prices = (
        [model.prices]
        if isinstance(model.prices, ModelPrice)
        else [price.prices for price in model.prices]
    )
    return {
        tier.start
        for price in prices
        for value in vars(price).values()
        if isinstance(value, TieredPrices)
        for tier in value.tiers
    }


def usages(model: ModelInfo) -> Iterator[Usage]:
    """Each kind of token alone, and all together, on both sides of every tier's boundary."""
    for boundary in {200_000, *tier_starts(model)}:
        for prompt in (boundary, boundary + 1):
            yield Usage(input_tokens=prompt)
            yield Usage(cache_read_tokens=prompt)
            yield Usage(cache_write_5m_tokens=prompt)
            yield Usage(cache_write_1h_tokens=prompt)
            yield Usage(input_tokens=prompt, output_tokens=777)
            yield Usage(
                input_tokens=prompt - 60_006,
                output_tokens=4_321,
                cache_read_tokens=10_001,
                cache_write_5m_tokens=20_002,
                cache_write_1h_tokens=30_003,
            )


def cases(model: ModelInfo) -> Iterator[Case]:
    moments = {TODAY, TODAY - timedelta(days=900)}
    for start in starts(model):
        moments |= {start - TICK, start}
    for at in sorted(moments):
        for usage in usages(model):
            if not overlaid(model, at, usage):
                yield Case(model, at, usage)


def overlaid(model: ModelInfo, at: datetime, usage: Usage) -> bool:
    """What our overlay corrects; `test_overlay.py` holds it to literal prices."""
    match model.id:
        case "claude-sonnet-5-5":
            return at.date().isoformat() in {f"2026-{day}" for day in ("09-28", "10-06")}
        case "claude-sonnet-4-0":
            return usage.prompt_tokens > 200_000
        case _:
            return False


def oracle(
    name: str, at: datetime, usage: Usage, context: dict[str, str], provider: str | None = None
) -> PriceCalculation:
    counts = genai_prices.Usage(
        input_tokens=usage.prompt_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        cache_write_5m_tokens=usage.cache_write_5m_tokens,
        cache_write_1h_tokens=usage.cache_write_1h_tokens,
        web_searches=usage.web_search_requests,
    )
    return genai_prices.calc_price(
        counts,
        name,
        provider_id=provider,
        genai_request_timestamp=at,
        price_context=context,
    )


def has_variant(model: ModelInfo, at: datetime, context: dict[str, str]) -> bool:
    return any(
        variant.when == context and (variant.constraint is None or variant.constraint.active(at))
        for variant in model.price_variants or []
    )


@pytest.mark.parametrize("model", CLAUDE.values(), ids=list(CLAUDE))
def test_standard_prices_equal_the_oracle(model: ModelInfo) -> None:
    book = PriceBook()
    compared = 0
    for _, at, usage in cases(model):
        expected = oracle(model.id, at, usage, {})
        cost = book.cost(usage, model.id, millis(at))
        assert cost.usd == expected.total_price, (at, usage)
        assert cost.output_pico == expected.output_price * 10**12, (at, usage)
        compared += 1
    assert compared >= 12


@pytest.mark.parametrize("model", CLAUDE.values(), ids=list(CLAUDE))
def test_batch_prices_equal_the_oracle_or_half_its_standard_price(model: ModelInfo) -> None:
    book = PriceBook()
    for _, at, usage in cases(model):
        cost = book.cost(usage, model.id, millis(at), service_tier="batch")
        if has_variant(model, at, BATCH):
            assert cost.usd == oracle(model.id, at, usage, BATCH).total_price, (at, usage)
        assert cost.usd * 2 == oracle(model.id, at, usage, {}).total_price, (at, usage)


@pytest.mark.parametrize("model", CLAUDE.values(), ids=list(CLAUDE))
def test_fast_prices_equal_the_oracle_or_are_unknown(model: ModelInfo) -> None:
    book = PriceBook()
    for _, at, usage in cases(model):
        if has_variant(model, at, FAST):
            cost = book.cost(usage, model.id, millis(at), speed="fast")
            assert cost.usd == oracle(model.id, at, usage, FAST).total_price, (at, usage)
        elif model.id not in OVERLAID_FAST:
            with pytest.raises(UnknownModelError, match="speed 'fast'"):
                book.cost(usage, model.id, millis(at), speed="fast")


@pytest.mark.parametrize("model", CLAUDE.values(), ids=list(CLAUDE))
def test_web_searches_equal_the_oracle_or_are_unknown(model: ModelInfo) -> None:
    book = PriceBook()
    usage = Usage(input_tokens=1, web_search_requests=3)
    expected = oracle(model.id, TODAY, usage, {})
    if expected.model_price.web_searches_kcount is None:
        with pytest.raises(UnknownModelError, match="3 web searches"):
            book.cost(usage, model.id, millis(TODAY))
    else:
        cost = book.cost(usage, model.id, millis(TODAY))
        assert cost.usd == expected.total_price
        assert cost.web_search_pico == 3 * 10**10


def test_the_oracle_has_the_variants_that_these_tests_compare() -> None:
    for context, fewest in ((BATCH, 16), (FAST, 5)):
        assert sum(has_variant(model, TODAY, context) for model in CLAUDE.values()) >= fewest


AWS = [
    model.id for model in next(p for p in providers if p.id == "aws").models if "claude" in model.id
]


@pytest.mark.parametrize("aws_id", AWS)
def test_bedrock_prices_equal_the_oracle_for_aws(aws_id: str) -> None:
    name = aws_id.replace("regional.", "us.")
    book = PriceBook()
    for usage in (
        Usage(input_tokens=50_000),
        Usage(output_tokens=50_000),
        Usage(cache_read_tokens=50_000),
        Usage(cache_write_5m_tokens=50_000),
    ):
        expected = oracle(name, TODAY, usage, {}, "aws")
        if usage.cache_read_tokens and expected.model_price.cache_read_mtok is None:
            continue  # models that AWS sold without a cache
        if usage.cache_write_tokens and expected.model_price.cache_write_mtok is None:
            continue
        assert book.cost(usage, name, millis(TODAY)).usd == expected.total_price, usage


@pytest.mark.parametrize(
    "name", ["gpt-5", "openai/gpt-5", "gemini-2.5-pro", "deepseek-chat", "mistral-large-latest"]
)
@pytest.mark.parametrize("hours", range(0, 24, 5))
def test_other_models_are_priced_by_the_package_itself(name: str, hours: int) -> None:
    at = TODAY.replace(hour=hours)
    book = PriceBook()
    provider, _, model = name.rpartition("/")
    for usage in (
        Usage(input_tokens=200_001, output_tokens=99),
        Usage(input_tokens=3, cache_read_tokens=199_997, output_tokens=99),
        Usage(cache_write_5m_tokens=1_000),
    ):
        expected = oracle(model, at, usage, {}, provider or None)
        assert book.cost(usage, name, millis(at)).usd == expected.total_price
        assert expected.total_price > 0


def test_batch_and_flex_prices_of_other_models_are_the_packages() -> None:
    usage = Usage(input_tokens=1_000_000)
    book = PriceBook()
    batch = book.cost(usage, "gpt-5", millis(TODAY), service_tier="batch")
    flex = book.cost(usage, "gpt-5", millis(TODAY), service_tier="flex")
    assert batch.usd == oracle("gpt-5", TODAY, usage, {"processing": "batch"}).total_price
    assert flex.usd == oracle("gpt-5", TODAY, usage, {"service_tier": "flex"}).total_price
    assert batch.usd == Decimal("0.625")
