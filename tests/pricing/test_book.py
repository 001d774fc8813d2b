"""The price book: exact parts, honest refusals."""

from decimal import Context, Decimal
from typing import TypedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from token_tracking.errors import UnknownModelError
from token_tracking.pricing import Cost, PriceBook, Rates, cost_of, usd
from token_tracking.usage import MAX_COUNT, Usage

NOW = 1_795_219_200_000  # 2026-11-21
BOOK = PriceBook()


class Mode(TypedDict, total=False):
    """How a message was served, as its usage says."""

    speed: str
    service_tier: str


counts = st.integers(0, MAX_COUNT)
usages = st.builds(
    Usage,
    input_tokens=counts,
    output_tokens=counts,
    cache_read_tokens=counts,
    cache_write_5m_tokens=counts,
    cache_write_1h_tokens=counts,
    web_search_requests=st.integers(0, 100),
)
models = st.sampled_from(["claude-opus-5-5", "claude-haiku-5-5", "claude-sonnet-4-5"])


@given(usages, models)
def test_the_total_is_the_sum_of_its_parts(usage: Usage, model: str) -> None:
    cost = BOOK.cost(usage, model, NOW)
    assert cost.pico_usd == (
        cost.input_pico
        + cost.output_pico
        + cost.cache_read_pico
        + cost.cache_write_5m_pico
        + cost.cache_write_1h_pico
        + cost.web_search_pico
    )
    assert cost.usd * 10**12 == cost.pico_usd


@given(usages, models)
def test_without_a_cache_the_same_message_pays_input_for_its_whole_prompt(
    usage: Usage, model: str
) -> None:
    rates = BOOK.rates(model, NOW, prompt_tokens=usage.prompt_tokens)
    uncached = Usage(
        input_tokens=usage.prompt_tokens,
        output_tokens=usage.output_tokens,
        web_search_requests=usage.web_search_requests,
    )
    cost = BOOK.cost(usage, model, NOW)
    assert cost.no_cache_pico == BOOK.cost(uncached, model, NOW).pico_usd
    read_discount = usage.cache_read_tokens * (rates.input - rates.cache_read)
    assert cost.no_cache_pico - cost.pico_usd == read_discount - cost.cache_write_premium_pico


@given(usages)
def test_the_cost_of_the_greatest_message_fits_in_64_bits(usage: Usage) -> None:
    assert BOOK.cost(usage, "claude-opus-4-6", NOW, speed="fast").pico_usd < 2**63


@given(st.integers(-(10**40), 10**40))
def test_pico_dollars_become_dollars_without_loss(pico: int) -> None:
    assert usd(pico).as_tuple().exponent == -12
    assert int(usd(pico).scaleb(12, Context(prec=60))) == pico


def test_rates_of_zero_cost_nothing_and_a_negative_premium_is_kept() -> None:
    rates = Rates(10, 1, 1, 4, 12, None, "user")
    usage = Usage(cache_write_5m_tokens=10, cache_write_1h_tokens=5)
    assert cost_of(usage, rates) == Cost(100, 0, 0, 0, 40, 60, 0, 150, -50)


@pytest.mark.parametrize("tier", [None, "", "standard", "priority"])
def test_priority_and_no_tier_cost_the_standard_price(tier: str | None) -> None:
    assert BOOK.rates("claude-opus-5-5", NOW, service_tier=tier).input == 4_000_000


@pytest.mark.parametrize("speed", [None, "", "standard"])
def test_no_speed_costs_the_standard_price(speed: str | None) -> None:
    assert BOOK.rates("claude-opus-5-5", NOW, speed=speed).input == 4_000_000


def test_a_batch_costs_half_at_any_date_and_the_search_does_not() -> None:
    for at_ms in (NOW, 1_750_000_000_000):
        rates = BOOK.rates("claude-opus-4-5", at_ms, service_tier="batch")
        assert (rates.input, rates.cache_write_1h) == (2_500_000, 5_000_000)
        assert rates.web_search == 10**10


def test_a_batch_in_the_name_is_a_batch() -> None:
    assert BOOK.rates("anthropic/claude-opus-5:batch", NOW).output == 12_500_000


@pytest.mark.parametrize(
    ("model", "mode"),
    [
        ("claude-sonnet-5-5", {"speed": "fast"}),
        ("claude-haiku-4-5", {"speed": "fast"}),
        ("claude-opus-4-5-fast", {}),
        ("claude-opus-5-5", {"speed": "ludicrous"}),
        ("claude-opus-5-5", {"speed": "fast", "service_tier": "batch"}),
        ("claude-opus-5-5", {"service_tier": "flex"}),
    ],
)
def test_a_variant_without_a_published_price_is_unknown_and_never_standard(
    model: str, mode: Mode
) -> None:
    with pytest.raises(UnknownModelError, match="add one to your prices file"):
        BOOK.rates(model, NOW, **mode)


@pytest.mark.parametrize(
    "model", ["claude-opus-9", "claude-opus-4-10", "claude", "no-such/model-x", "", "unknown"]
)
def test_an_unknown_model_says_what_to_do(model: str) -> None:
    for _ in range(2):
        with pytest.raises(UnknownModelError, match="add it to your prices file"):
            BOOK.rates(model, NOW)


def test_another_models_variant_without_a_price_is_unknown() -> None:
    with pytest.raises(UnknownModelError, match=r"gpt-5, but no price for .*ludicrous"):
        BOOK.rates("gpt-5", NOW, speed="ludicrous")
    with pytest.raises(UnknownModelError, match="no price for"):
        BOOK.rates("deepseek-chat", NOW, service_tier="priority")


def test_another_model_that_charges_by_the_request_is_unknown() -> None:
    with pytest.raises(UnknownModelError, match="it charges each request"):
        BOOK.rates("perplexity/sonar", NOW)


def test_a_claude_model_of_a_newer_genai_prices_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from token_tracking.pricing import resolve

    monkeypatch.setattr(resolve, "installed_version", lambda: "0.2.99")
    with pytest.raises(UnknownModelError, match="'claude-opus-9' is known"):
        PriceBook().rates("claude-opus-9", NOW)


def test_dollars_print_as_they_are() -> None:
    assert str(usd(1)) == "1E-12"
    assert usd(-1_500_000_000_000) == Decimal("-1.5")
