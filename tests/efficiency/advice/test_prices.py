"""What a request would have cost with a shorter prompt."""

from msgspec.structs import replace

from tests.efficiency.advice.sessions import request
from token_tracking.efficiency.advice.prices import paid, rates_at, rest_saved
from token_tracking.efficiency.attribution import Message
from token_tracking.pricing import PriceBook, Rates

MODEL = "claude-sonnet-4-5"
AT = 1_761_955_200_000
"""Of this model, prompts of more than 200,000 tokens cost twice as much."""
LONG = PriceBook().rates(MODEL, AT, prompt_tokens=200_001)
SHORT = PriceBook().rates(MODEL, AT, prompt_tokens=200_000)


def _request(rates: Rates, model: str = MODEL, read: int = 300_000) -> Message:
    return replace(request("m0", read=read), at=AT, model=model, rates=rates)


def _times(rates: Rates, percent: int) -> Rates:
    return Rates(
        rates.input * percent // 100,
        rates.output * percent // 100,
        rates.cache_read * percent // 100,
        rates.cache_write_5m * percent // 100,
        rates.cache_write_1h * percent // 100,
        rates.web_search,
        rates.source,
    )


def test_a_shorter_prompt_has_the_rates_of_its_length() -> None:
    assert rates_at(_request(LONG), 200_001) == LONG
    assert rates_at(_request(LONG), 200_000) == SHORT
    assert rates_at(_request(LONG), 1_000) == SHORT


def test_the_same_multiple_of_each_rate_stays_one() -> None:
    assert rates_at(_request(_times(LONG, 110)), 100_000) == _times(SHORT, 110)


def test_rates_that_are_not_published_hold_for_any_length() -> None:
    own = replace(LONG, output=1)
    assert rates_at(_request(own), 1_000) is own


def test_models_that_no_list_has_keep_their_rates() -> None:
    assert rates_at(_request(LONG, "nobody-knows"), 1_000) is LONG


def test_a_model_with_one_price_keeps_it() -> None:
    rates = PriceBook().rates("claude-opus-4-5", AT, prompt_tokens=300_000)
    assert rates_at(_request(rates, "claude-opus-4-5"), 1_000) is rates


def test_the_rest_of_a_prompt_is_saved_what_its_rates_differ() -> None:
    long = _request(LONG)
    assert rest_saved(long, 50_000, 250_000, LONG) == 0
    assert rest_saved(long, 50_000, 250_000, SHORT) == 100_000 * 300_000
    assert paid(long, 0, 300_000) - paid(long, 0, 300_000, SHORT) == 300_000 * 300_000
