"""What genai-prices lacks, held to literal prices."""

from datetime import UTC, datetime

import pytest

from token_tracking.errors import UnknownModelError
from token_tracking.pricing import ModelLimits, PriceBook, Rates, limits
from token_tracking.pricing.published import published
from token_tracking.usage import Usage

NOW = 1_795_219_200_000  # 2026-11-21
SEARCH = 10**10


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("moment", "read"),
    [
        ("2026-09-27T23:59:59.999", 100_000),
        ("2026-09-28T00:00:00", 200_000),
        ("2026-10-06T23:59:59.999", 200_000),
        ("2026-10-07T00:00:00", 100_000),
    ],
)
def test_cache_reads_of_sonnet_5_5_cost_more_in_its_first_days(moment: str, read: int) -> None:
    rates = PriceBook().rates("claude-sonnet-5-5", at(moment))
    assert rates.cache_read == read
    assert (rates.input, rates.cache_write_1h) == (2_000_000, 4_000_000)


def test_a_batch_of_sonnet_5_5_in_its_first_days_cost_half_of_that() -> None:
    rates = PriceBook().rates("claude-sonnet-5-5", at("2026-10-01"), service_tier="batch")
    assert rates == Rates(1_000_000, 5_000_000, 100_000, 1_250_000, 2_000_000, SEARCH, "overlay")


@pytest.mark.parametrize(
    ("model", "moment", "prompt", "prices"),
    [
        ("claude-opus-4-6", "2026-03-12T23:59:59", 200_000, (30, 150, 3, 37.5, 60)),
        ("claude-opus-4-6", "2026-03-12T23:59:59", 200_001, (60, 225, 6, 75, 120)),
        ("claude-opus-4-6", "2026-03-13T00:00:00", 200_001, (30, 150, 3, 37.5, 60)),
        ("claude-opus-4-7", "2026-06-01T00:00:00", 900_000, (30, 150, 3, 37.5, 60)),
    ],
)
def test_fast_mode_of_older_models(
    model: str, moment: str, prompt: int, prices: tuple[float, ...]
) -> None:
    pico = [int(price * 10**6) for price in prices]
    expected = Rates(pico[0], pico[1], pico[2], pico[3], pico[4], SEARCH, "overlay")
    rates = PriceBook().rates(model, at(moment), prompt_tokens=prompt, speed="fast")
    assert rates == expected
    named = PriceBook().rates(f"anthropic/{model}-fast", at(moment), prompt_tokens=prompt)
    assert named == expected


def test_long_prompts_of_sonnet_4_cost_as_those_of_sonnet_4_5() -> None:
    book = PriceBook()
    when = at("2025-09-01")
    long = book.rates("claude-sonnet-4-20250514", when, prompt_tokens=200_001)
    assert (long.input, long.output) == (6_000_000, 22_500_000)
    assert book.rates("claude-sonnet-4-20250514", when, prompt_tokens=200_000).input == 3_000_000


@pytest.mark.parametrize("geo", ["", "global", "not_available", None])
def test_no_place_and_global_cost_the_standard_price(geo: str | None) -> None:
    book = PriceBook()
    plain = book.rates("claude-opus-5-5", NOW)
    assert book.rates("claude-opus-5-5", NOW, inference_geo=geo) == plain


def test_inference_in_the_us_costs_a_tenth_more_for_every_kind_of_token() -> None:
    rates = PriceBook().rates("claude-opus-4-6", NOW, inference_geo="us")
    source = "genai-prices 0.2.3 + overlay"
    assert rates == Rates(5_500_000, 27_500_000, 550_000, 6_875_000, 11_000_000, SEARCH, source)


def test_the_place_multiplies_batch_and_fast_prices_too() -> None:
    book = PriceBook()
    batch = book.rates("claude-haiku-5-5", NOW, service_tier="batch", inference_geo="us")
    assert (batch.input, batch.cache_read) == (55_000, 5_500)
    fast = book.rates("claude-opus-5-5", NOW, speed="fast", inference_geo="us")
    assert (fast.input, fast.output) == (8_800_000, 44_000_000)


@pytest.mark.parametrize(
    "model", ["claude-opus-4-5", "claude-sonnet-4-5", "claude-haiku-4-5", "claude-2.1"]
)
def test_models_before_4_6_cost_the_same_in_the_us(model: str) -> None:
    book = PriceBook()
    assert book.rates(model, NOW, inference_geo="us") == book.rates(model, NOW)


def test_a_place_without_a_published_price_is_unknown() -> None:
    with pytest.raises(UnknownModelError, match="inference_geo 'mars': add one"):
        PriceBook().rates("claude-opus-5-5", NOW, inference_geo="mars")


def test_every_entry_of_the_overlay_names_its_source() -> None:
    overlay = published().overlay
    tables = [*overlay["price"], *overlay["limits"].values(), *overlay["inference_geo"].values()]
    tables += [overlay["batch"], overlay["bedrock_regional"]]
    assert len(tables) > 30
    assert [table for table in tables if not table.get("source")] == []


def test_models_that_multipliers_leave_alone_are_models_of_the_lists() -> None:
    lists = published()
    for multiplier in (*lists.geos.values(), lists.bedrock_regional):
        for model in multiplier.exempt:
            assert lists.family(model) == model
            assert lists.knows(model)


@pytest.mark.parametrize(
    ("model", "window", "output"),
    [
        ("claude-opus-5-5", 1_000_000, 128_000),
        ("claude-haiku-5-5", 1_000_000, 128_000),
        ("claude-fable-5-2", 1_000_000, None),
        ("claude-mythos-5", 1_000_000, 128_000),
        ("us.anthropic.claude-opus-4-5-20251101-v1:0", 200_000, 64_000),
        ("claude-sonnet-4-5-20250929", 200_000, 64_000),
        ("claude-sonnet-4-5-20250929[1m]", 1_000_000, 64_000),
        ("claude-opus-4-6[1m]", 1_000_000, 128_000),
        ("claude-opus-4-1", 200_000, 32_000),
        ("claude-3-haiku-20240307", 200_000, 4_096),
        ("claude-2.1", 200_000, None),
        ("claude-2", 100_000, None),
    ],
)
def test_limits_are_what_the_sources_tell(model: str, window: int, output: int | None) -> None:
    assert limits(model) == ModelLimits(window, output)


@pytest.mark.parametrize("model", ["gpt-5", "claude-mythos-5-1", "claude-v1", "<synthetic>"])
def test_limits_that_no_source_tells_are_none(model: str) -> None:
    assert limits(model) is None


def test_every_current_claude_model_has_limits() -> None:
    for model in published().models:
        assert limits(model) is not None or model == "claude-v1", model


def test_a_model_that_no_model_wrote_is_free() -> None:
    book = PriceBook()
    usage = Usage(input_tokens=5, output_tokens=5, web_search_requests=1)
    assert book.cost(usage, "<synthetic>", NOW, speed="fast", service_tier="batch").pico_usd == 0
