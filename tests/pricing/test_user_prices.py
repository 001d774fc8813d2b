"""The user's prices file: what it may say, and what each mistake is answered with."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypedDict

import pytest

from token_tracking.errors import InvalidPricesError, UnknownModelError
from token_tracking.pricing import PriceBook, Rates

NOW = 1_795_219_200_000  # 2026-11-21
FIVE = "input = 1\noutput = 2\ncache_read = 0.25\ncache_write_5m = 1.5\ncache_write_1h = 3\n"
ENTRY = f'[[price]]\nmodel = "my-model"\n{FIVE}'

Write = Callable[[str], Path]


class Mode(TypedDict, total=False):
    """How a message was served, as its usage says."""

    speed: str
    service_tier: str


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(text: str) -> Path:
        path = tmp_path / "prices.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return written


def price(model: str, usd: float, more: str = "") -> str:
    rates = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h")
    lines = "".join(f"{rate} = {usd}\n" for rate in rates)
    return f'[[price]]\nmodel = "{model}"\n{more}\n{lines}\n'


def test_a_price_of_the_user_is_taken_exactly(write: Write) -> None:
    book = PriceBook(write(ENTRY + "web_search = 7.5\n"))
    assert book.rates("my-model", NOW) == Rates(
        1_000_000, 2_000_000, 250_000, 1_500_000, 3_000_000, 7_500_000_000, "user"
    )
    assert PriceBook(write(price("m", 0.000001))).rates("m", NOW).input == 1


def test_a_price_of_the_user_beats_overlay_and_snapshot(write: Write) -> None:
    text = price("claude-opus-5-5", 1) + price("claude-mythos-5", 2) + price("gpt-5", 3)
    book = PriceBook(write(text))
    for usd, model in enumerate(["anthropic/claude-opus-5.5", "claude-mythos-5", "gpt-5"], 1):
        rates = book.rates(model, NOW)
        assert (rates.output, rates.source) == (usd * 1_000_000, "user")
    assert book.rates("claude-sonnet-5-5", NOW).source == "genai-prices 0.2.3"


def test_a_dated_price_holds_from_its_first_moment_to_before_its_last(write: Write) -> None:
    dates = "from = 2026-05-01\nuntil = 2026-06-01T02:00:00+02:00"
    book = PriceBook(write(price("claude-opus-4-5", 1, dates)))
    for moment, usd in [
        ("2026-04-30T23:59:59.999", 5),
        ("2026-05-01T00:00:00", 1),
        ("2026-05-31T23:59:59.999", 1),
        ("2026-06-01T00:00:00", 5),
    ]:
        assert book.rates("claude-opus-4-5", at(moment)).input == usd * 1_000_000


def test_a_model_without_a_price_at_the_date_is_unknown(write: Write) -> None:
    book = PriceBook(write(price("my-model", 1, "until = 2026-06-01 12:00:00")))
    assert book.rates("my-model", at("2026-06-01T11:59:59")).input == 1_000_000
    with pytest.raises(UnknownModelError, match="my-model"):
        book.rates("my-model", at("2026-06-01T12:00:00"))


def test_the_closest_name_wins_and_then_the_last_entry(write: Write) -> None:
    text = (
        price("us.anthropic.claude-opus-5", 6)
        + price("claude-opus-5", 5)
        + price("claude-opus-*", 4)
        + price("claude-*", 3)
        + price("*", 2)
        + price("*", 1)
    )
    book = PriceBook(write(text))
    for model, usd in [
        ("us.anthropic.claude-opus-5", 6),
        ("eu.anthropic.claude-opus-5", 5),
        ("Claude-Opus-4.5", 4),
        ("claude-haiku-5-5", 3),
        ("anything", 1),
    ]:
        assert book.rates(model, NOW).input == usd * 1_000_000, model


def test_the_users_price_is_not_multiplied_by_place(write: Write) -> None:
    book = PriceBook(write(price("claude-opus-5", 4)))
    assert book.rates("us.anthropic.claude-opus-5", NOW).input == 4_000_000
    assert book.rates("claude-opus-5", NOW, inference_geo="us").input == 4_000_000


def test_a_batch_costs_half_the_users_price_unless_the_user_prices_it(write: Write) -> None:
    text = price("claude-opus-5", 4) + price("my-model", 4)
    book = PriceBook(write(text))
    assert book.rates("claude-opus-5", NOW, service_tier="batch").input == 2_000_000
    with pytest.raises(UnknownModelError, match="my-model"):
        book.rates("my-model", NOW, service_tier="batch")
    own = PriceBook(write(text + price("claude-opus-5", 3, 'service_tier = "batch"')))
    assert own.rates("claude-opus-5", NOW, service_tier="batch").input == 3_000_000


def test_half_of_a_price_that_is_not_whole_is_unknown_and_not_rounded(write: Write) -> None:
    book = PriceBook(write(price("claude-opus-5", 0.000001)))
    with pytest.raises(UnknownModelError, match="cannot be exact"):
        book.rates("claude-opus-5", NOW, service_tier="batch")


def test_fast_mode_costs_the_published_price_unless_the_user_prices_it(write: Write) -> None:
    book = PriceBook(write(price("claude-opus-5", 4)))
    fast = book.rates("claude-opus-5", NOW, speed="fast")
    assert (fast.input, fast.source) == (10_000_000, "genai-prices 0.2.3")
    text = price("claude-sonnet-5", 9, 'speed = "fast"')
    assert PriceBook(write(text)).rates("claude-sonnet-5", NOW, speed="fast").input == 9_000_000


def test_priority_has_the_users_price_of_it_or_else_the_standard_one(write: Write) -> None:
    text = price("claude-opus-5", 4) + price("claude-opus-4-8", 7, 'service_tier = "priority"')
    book = PriceBook(write(text))
    assert book.rates("claude-opus-5", NOW, service_tier="priority").input == 4_000_000
    assert book.rates("claude-opus-4-8", NOW, service_tier="priority").input == 7_000_000
    assert book.rates("claude-opus-4-8", NOW).input == 5_000_000


def test_long_prompts_may_have_a_price_of_their_own(write: Write) -> None:
    book = PriceBook(
        write(f"{ENTRY}[price.long_prompt]\nover = 1000\n{FIVE}".replace("= 2", "= 9"))
    )
    assert book.rates("my-model", NOW, prompt_tokens=1000).input == 1_000_000
    doubled = ENTRY + "[price.long_prompt]\nover = 1000\n" + FIVE.replace("input = 1", "input = 8")
    book = PriceBook(write(doubled))
    assert book.rates("my-model", NOW, prompt_tokens=1000).input == 1_000_000
    assert book.rates("my-model", NOW, prompt_tokens=1001).input == 8_000_000


def test_a_model_may_cost_the_same_as_another(write: Write) -> None:
    profile = "arn:aws:bedrock:eu-west-1:1:application-inference-profile/abc"
    text = (
        f'[[price]]\nmodel = "{profile[:30]}*"\nsame_as = "claude-opus-5"\n'
        '[[price]]\nmodel = "mine"\nsame_as = "gpt-5"\n'
    )
    book = PriceBook(write(text))
    published = PriceBook()
    modes: list[Mode] = [{}, {"speed": "fast"}, {"service_tier": "batch"}]
    for mode in modes:
        assert book.rates(profile, NOW, **mode) == published.rates("claude-opus-5", NOW, **mode)
    assert book.rates("mine", NOW) == published.rates("gpt-5", NOW)


def test_an_empty_file_changes_nothing(write: Write) -> None:
    assert PriceBook(write("")).rates("claude-opus-5", NOW) == PriceBook().rates(
        "claude-opus-5", NOW
    )


MISTAKES = {
    "no TOML": ("[[price", "no valid TOML"),
    "a date that does not exist": (price("m", 1, "from = 2026-02-30"), "no valid TOML"),
    "one bracket": ("[price]\nmodel = 'm'", "two brackets"),
    "no table": ("price = [1]", "price 1: it is no table"),
    "a key at the top": ("prices = 1", "prices is not known at the top"),
    "no model": ("[[price]]\ninput = 1", "price 1: model is missing"),
    "an empty model": ("[[price]]\nmodel = ' '", "model is ' '; write a text"),
    "a model that is a number": ("[[price]]\nmodel = 5", "model is 5; write a text"),
    "a star inside": (price("a*b", 1), "one \\*, at its end"),
    "a key that is misspelt": (ENTRY + "cache_reed = 1", "cache_reed is not known"),
    "no output": (ENTRY.replace("output = 2", ""), "output is missing; write its price in USD"),
    "no cache price": (
        ENTRY.replace("cache_read = 0.25", ""),
        "cache_read is missing.*without a cache, repeat the price of input",
    ),
    "a negative price": (ENTRY.replace("= 0.25", "= -0.25"), "cache_read is -0.25, which is neg"),
    "not a number": (ENTRY.replace("= 0.25", "= nan"), "cache_read is NaN, which is no finite"),
    "an infinite price": (ENTRY.replace("= 0.25", "= inf"), "is no finite number"),
    "a price that is true": (ENTRY.replace("= 0.25", "= true"), "cache_read is True; write a num"),
    "a price in quotes": (ENTRY.replace("= 0.25", '= "0.25"'), "without quotes"),
    "a price that is absurd": (ENTRY.replace("= 0.25", "= 1000.01"), "is above 1000 USD"),
    "too many decimals": (ENTRY.replace("= 0.25", "= 0.0000001"), "too many decimals"),
    "a search that is absurd": (ENTRY + "web_search = -1", "write USD per thousand searches"),
    "a date in quotes": (price("m", 1, 'from = "2026-01-01"'), "write a date without quotes"),
    "a time of day": (price("m", 1, "from = 12:00:00"), "write a date without quotes"),
    "dates in the wrong order": (
        price("m", 1, "from = 2026-02-01\nuntil = 2026-02-01"),
        "until must be later than from",
    ),
    "a speed that is no text": (price("m", 1, "speed = 2"), "speed is 2; write a text"),
    "same_as and a speed": (
        '[[price]]\nmodel = "m"\nsame_as = "n"\nspeed = "fast"',
        "same_as takes every price of n",
    ),
    "same_as and rates": (f'[[price]]\nmodel = "m"\nsame_as = "n"\n{FIVE}', "one or the other"),
    "a long prompt that is no table": (ENTRY + "long_prompt = 5", "write it as a table"),
    "a long prompt without a length": (ENTRY + "[price.long_prompt]\n" + FIVE, "over is None"),
    "a long prompt of no tokens": (
        ENTRY + "[price.long_prompt]\nover = true\n" + FIVE,
        "over is True; write the tokens",
    ),
    "a long prompt with a wrong key": (
        ENTRY + "[price.long_prompt]\nover = 5\nfrom = 5\n" + FIVE,
        "long_prompt: the key from is not known",
    ),
    "a long prompt without a rate": (
        ENTRY + "[price.long_prompt]\nover = 5\ninput = 1",
        "long_prompt: output is missing",
    ),
}


@pytest.mark.parametrize(("text", "answer"), MISTAKES.values(), ids=list(MISTAKES))
def test_a_mistake_is_answered_with_the_file_the_key_and_what_to_do(
    write: Write, text: str, answer: str
) -> None:
    path = write(text)
    with pytest.raises(InvalidPricesError, match=answer) as caught:
        PriceBook(path)
    assert str(path) in str(caught.value)


def test_a_mistake_names_the_number_and_the_model_of_its_price(write: Write) -> None:
    with pytest.raises(InvalidPricesError, match=r"price 2 \(other\): input is 'x'"):
        PriceBook(write(ENTRY + '[[price]]\nmodel = "other"\ninput = "x"'))


def test_a_missing_file_is_answered(tmp_path: Path) -> None:
    with pytest.raises(InvalidPricesError, match=r"no-such\.toml: there is no such prices file"):
        PriceBook(tmp_path / "no-such.toml")


def test_a_folder_and_a_file_that_is_no_text_are_answered(tmp_path: Path) -> None:
    with pytest.raises(InvalidPricesError, match="cannot be read"):
        PriceBook(tmp_path)
    path = tmp_path / "binary.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidPricesError, match="UTF-8"):
        PriceBook(path)
