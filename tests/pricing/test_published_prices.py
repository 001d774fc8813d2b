"""Published prices as literal numbers, checked by hand (platform.claude.com pricing page)."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from token_tracking.pricing import PriceBook
from token_tracking.usage import Usage

MILLION = 10**6


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


NOW = at("2026-11-21")

# USD per million tokens: input, output, cache read, write for 5 minutes, write for 1 hour
STANDARD = [
    ("claude-opus-5-5", "4", "20", "0.20", "5", "8"),
    ("claude-sonnet-5-5", "2", "10", "0.10", "2.50", "4"),
    ("claude-haiku-5-5", "0.10", "0.50", "0.01", "0.125", "0.20"),
    ("claude-fable-5-2", "8", "40", "0.20", "10", "16"),
    ("claude-mythos-5-2", "8", "40", "0.20", "10", "16"),
    ("claude-fable-5-1", "10", "50", "0.25", "12.50", "20"),
    ("claude-mythos-5-1", "10", "50", "0.25", "12.50", "20"),
    ("claude-fable-5", "10", "50", "1", "12.50", "20"),
    ("claude-mythos-5", "10", "50", "1", "12.50", "20"),
    ("claude-opus-5", "5", "25", "0.50", "6.25", "10"),
    ("claude-sonnet-5", "2", "10", "0.20", "2.50", "4"),
    ("claude-opus-4-8", "5", "25", "0.50", "6.25", "10"),
    ("claude-opus-4-7", "5", "25", "0.50", "6.25", "10"),
    ("claude-opus-4-6", "5", "25", "0.50", "6.25", "10"),
    ("claude-sonnet-4-6", "3", "15", "0.30", "3.75", "6"),
    ("claude-opus-4-5-20251101", "5", "25", "0.50", "6.25", "10"),
    ("claude-sonnet-4-5-20250929", "3", "15", "0.30", "3.75", "6"),
    ("claude-haiku-4-5-20251001", "1", "5", "0.10", "1.25", "2"),
    ("claude-opus-4-1-20250805", "15", "75", "1.50", "18.75", "30"),
    ("claude-opus-4-20250514", "15", "75", "1.50", "18.75", "30"),
    ("claude-sonnet-4-20250514", "3", "15", "0.30", "3.75", "6"),
    ("claude-3-7-sonnet-20250219", "3", "15", "0.30", "3.75", "6"),
    ("claude-3-5-sonnet-20241022", "3", "15", "0.30", "3.75", "6"),
    ("claude-3-5-haiku-20241022", "0.80", "4", "0.08", "1", "1.60"),
    ("claude-3-opus-20240229", "15", "75", "1.50", "18.75", "30"),
    ("claude-3-haiku-20240307", "0.25", "1.25", "0.03", "0.30", "0.50"),
]

# Model, date, prompt tokens, and the five prices again
LONG_PROMPTS = [
    ("claude-haiku-5-5", NOW, 100_000, "0.10", "0.50", "0.01", "0.125", "0.20"),
    ("claude-haiku-5-5", NOW, 100_001, "0.50", "2.50", "0.05", "0.625", "1"),
    ("claude-sonnet-4-5", NOW, 200_000, "3", "15", "0.30", "3.75", "6"),
    ("claude-sonnet-4-5", NOW, 200_001, "6", "22.50", "0.60", "7.50", "12"),
    ("claude-opus-4-6", at("2026-03-12"), 200_001, "10", "37.50", "1", "12.50", "20"),
    ("claude-opus-4-6", at("2026-03-13"), 200_001, "5", "25", "0.50", "6.25", "10"),
    ("claude-sonnet-4-6", at("2026-03-12"), 200_001, "6", "22.50", "0.60", "7.50", "12"),
    ("claude-opus-5-5", NOW, 900_000, "4", "20", "0.20", "5", "8"),
]

FAST = [
    ("claude-opus-5-5", "8", "40", "0.40", "10", "16"),
    ("claude-fable-5-2", "16", "80", "0.40", "20", "32"),
    ("claude-opus-5", "10", "50", "1", "12.50", "20"),
    ("claude-opus-4-8", "10", "50", "1", "12.50", "20"),
]


def five(
    book: PriceBook, model: str, at_ms: int, prompt: int = 0, speed: str = ""
) -> list[Decimal]:
    rates = book.rates(model, at_ms, prompt_tokens=prompt, speed=speed)
    pico = [
        rates.input,
        rates.output,
        rates.cache_read,
        rates.cache_write_5m,
        rates.cache_write_1h,
    ]
    return [Decimal(rate) / MILLION for rate in pico]


@pytest.mark.parametrize(("model", "prices"), [(row[0], row[1:]) for row in STANDARD])
def test_a_model_costs_what_is_published(model: str, prices: tuple[str, ...]) -> None:
    assert five(PriceBook(), model, NOW) == [Decimal(price) for price in prices]


@pytest.mark.parametrize(
    ("model", "at_ms", "prompt", "prices"), [(*row[:3], row[3:]) for row in LONG_PROMPTS]
)
def test_a_long_prompt_costs_what_is_published(
    model: str, at_ms: int, prompt: int, prices: tuple[str, ...]
) -> None:
    assert five(PriceBook(), model, at_ms, prompt) == [Decimal(price) for price in prices]


@pytest.mark.parametrize(("model", "prices"), [(row[0], row[1:]) for row in FAST])
def test_fast_mode_costs_what_is_published(model: str, prices: tuple[str, ...]) -> None:
    assert five(PriceBook(), model, NOW, speed="fast") == [Decimal(price) for price in prices]


def test_the_cost_of_a_whole_message_is_the_sum_done_by_hand() -> None:
    usage = Usage(
        input_tokens=10,
        output_tokens=1_000,
        cache_read_tokens=90_000,
        cache_write_5m_tokens=2_000,
        cache_write_1h_tokens=3_000,
        web_search_requests=2,
        web_fetch_requests=5,
    )
    cost = PriceBook().cost(usage, "claude-opus-5-5", NOW)
    # 10 x 4 + 1,000 x 20 + 90,000 x 0.20 + 2,000 x 5 + 3,000 x 8 dollars for a million, and 2 cents
    assert cost.usd == Decimal("0.00004") + Decimal("0.02") + Decimal("0.018") + Decimal(
        "0.01"
    ) + Decimal("0.024") + Decimal("0.02")
    assert cost.usd == Decimal("0.09204")
    # the whole prompt of 95,010 tokens at 4 dollars
    assert cost.no_cache_pico == 380_040_000_000 + 20_000_000_000 + 20_000_000_000
    # 2,000 x (5 - 4) + 3,000 x (8 - 4)
    assert cost.cache_write_premium_pico == 14_000_000_000


def test_the_tier_of_a_message_is_that_of_its_whole_prompt() -> None:
    usage = Usage(input_tokens=1, cache_read_tokens=100_000, output_tokens=100)
    cost = PriceBook().cost(usage, "claude-haiku-5-5", NOW)
    assert (cost.input_pico, cost.cache_read_pico) == (500_000, 100_000 * 50_000)
    assert cost.output_pico == 100 * 2_500_000
    assert cost.no_cache_pico == 100_001 * 500_000 + 100 * 2_500_000
