"""Counts for models: exact where the tokenizer is public, else with a method and an error."""

import asyncio
import threading
from typing import Any

import pytest

from tests.counting.plain import plain_tokens
from token_tracking.counting import (
    CountingError,
    Multiplier,
    TokenCount,
    TokenCounter,
    count_tokens,
    count_tokens_async,
    default_multiplier,
)

TEXT = "It's a text of some words, and <|endoftext|> is one of them. " * 20
O200K = plain_tokens(TEXT)
LEARNED = Multiplier(multiplier=1.3, error_median=0.02, error_p95=0.06, samples=99, learned_at=1)


@pytest.mark.parametrize(
    "model",
    [
        "gpt-4o",
        "gpt-4o-2024-08-06",
        "gpt-4.1-mini",
        "gpt-5",
        "o1",
        "o3-mini",
        "o4-mini",
        "O3",
        "openai/gpt-5-mini",
        "chatgpt-4o-latest",
        "gpt-oss-120b",
        "openai/gpt-4o:free",
        "gpt-4o@2024-08-06",
        "ft:gpt-4o:team",
        "o200k_base",
    ],
)
def test_newer_models_of_openai_are_counted_exactly(model: str) -> None:
    exact = TokenCount(tokens=O200K, method="o200k_base", exact=True, error_p95=0.0)
    assert count_tokens(TEXT, model) == exact


@pytest.mark.parametrize(
    "model",
    ["gpt-4", "gpt-4-0613", "gpt-3.5-turbo", "text-embedding-3-small", "cl100k_base", "gpt-4:free"],
)
def test_earlier_models_of_openai_have_their_own_vocabulary(model: str) -> None:
    tokens = plain_tokens(TEXT, "cl100k_base")
    exact = TokenCount(tokens=tokens, method="cl100k_base", exact=True, error_p95=0.0)
    assert count_tokens(TEXT, model) == exact


@pytest.mark.parametrize(
    "model",
    [
        "claude-opus-4-6",
        "claude-sonnet-4-20250514",
        "claude-3-5-sonnet-20241022",
        "claude-2.1",
        "claude-haiku-4.5",
        "us.anthropic.claude-opus-4-5-20251101-v1:0",
        "claude-v1",
        "claude-instant-1.2",
        "anthropic/claude-3-opus",
        "claude-4-6-opus",
        "claude-instant",
        "databricks-claude-3-7-sonnet",
        "claude3.5-sonnet",
    ],
)
def test_claude_up_to_4_6_has_a_multiplier(model: str) -> None:
    assert count_tokens(TEXT, model) == TokenCount(
        tokens=round(O200K * 1.12),
        method="o200k_base x 1.12 (default)",
        exact=False,
        error_p95=0.084,
    )


@pytest.mark.parametrize(
    "model",
    [
        "claude-opus-4-7",
        "claude-opus-4-10",
        "claude-sonnet-5",
        "claude-fable-5-1",
        "claude-4.7-opus",
        "claude-mythos-preview",
        "opus",
        "Sonnet",
        "global.anthropic.claude-opus-4-8-v1:0",
        "claude-opus-5-fast",
        "claude-sonnet-5[1m]",
        "claude",
        "sonnet[1m]",
        "opus[1m]",
        "opusplan",
        "databricks-claude-opus-4-7",
        "claude-fable-1",
        "mythos",
    ],
)
def test_claude_from_4_7_on_has_another(model: str) -> None:
    found = count_tokens(TEXT, model)
    assert found.method == "o200k_base x 1.54 (default)"
    assert (found.tokens, found.error_p95) == (round(O200K * 1.54), 0.27)


def test_where_no_model_is_named_the_most_tokens_are_meant() -> None:
    found = count_tokens(TEXT)
    assert found.tokens == round(O200K * 1.54)
    assert found.method == "o200k_base x 1.54 (newest Claude, as no model is named)"


@pytest.mark.parametrize(
    "model",
    ["gemini-3-pro", "gpt2", "", "\ud800", "glm-4.7", "o9", "gpt-4-claude", "gpt-4-x-llama"],
)
def test_an_unknown_tokenizer_has_no_measured_error(model: str) -> None:
    found = count_tokens(TEXT, model)
    assert (found.tokens, found.exact, found.error_p95) == (O200K, False, None)
    assert default_multiplier(model) is None


@pytest.mark.parametrize("model", ["claude-opus-4-6", "claude-opus-4-6-fast", "claude-opus-4.6"])
def test_what_was_learned_is_used_for_every_spelling(model: str) -> None:
    learned = {"claude-opus-4-6": LEARNED}
    assert count_tokens(TEXT, model, multipliers=learned) == TokenCount(
        tokens=round(O200K * 1.3), method="o200k_base x 1.3 (learned)", exact=False, error_p95=0.06
    )
    assert count_tokens(TEXT, "claude-opus-4-5", multipliers=learned).error_p95 == 0.084


def test_nothing_has_no_tokens() -> None:
    for model in (None, "gpt-5", "claude-opus-4-6", "unknown"):
        assert count_tokens("", model).tokens == 0


class Words:
    """Counts words, and keeps the thread that asked."""

    thread: threading.Thread | None = None

    def count(self, text: str) -> TokenCount:
        self.thread = threading.current_thread()
        return TokenCount(tokens=len(text.split()), method="words", exact=True, error_p95=0.0)


def test_a_counter_is_plugged_in_for_a_model_or_for_all() -> None:
    counter = TokenCounter({"claude-opus-4-6": LEARNED})
    counter.plug_in(Words(), "claude-opus-4.5")
    assert counter.count_now("a b c", "claude-opus-4-5-20251101").method == "words"
    assert counter.count_now("a b c", "claude-opus-4-6").method == "o200k_base x 1.3 (learned)"
    assert counter.count_now("a b c").method != "words"
    counter.plug_in(Words())
    assert counter.count_now("a b c", "gpt-5") == counter.count_now("a b c")
    assert counter.count_now("a b c").tokens == 3


async def test_it_counts_off_the_event_loop() -> None:
    counter, words = TokenCounter(), Words()
    counter.plug_in(words, "words")
    assert (await counter.count("a b", "words")).tokens == 2
    assert words.thread is not threading.main_thread()
    both = await asyncio.gather(count_tokens_async(TEXT, "gpt-5"), counter.count(TEXT, "gpt-5"))
    assert both == [count_tokens(TEXT, "gpt-5")] * 2


@pytest.mark.parametrize("given", [None, b"bytes", 7, ["a"]])
def test_what_is_no_text_is_refused(given: Any) -> None:
    with pytest.raises(CountingError, match="give a str"):
        count_tokens(given, "gpt-5")
    with pytest.raises(CountingError, match="give a str"):
        TokenCounter().count_now(given)


class Failing:
    """Answers with what it was made with, or raises it."""

    def __init__(self, answer: object) -> None:
        self.answer = answer

    def count(self, text: str) -> Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(
    "answer",
    [
        ValueError("boom"),
        KeyError("k"),
        None,
        -5,
        7,
        TokenCount(tokens=-1, method="m", exact=False, error_p95=None),
        TokenCount(tokens=1.5, method="m", exact=False, error_p95=None),  # pyright: ignore[reportArgumentType]
    ],
)
def test_a_counter_that_fails_is_named(answer: object) -> None:
    counter = TokenCounter()
    counter.plug_in(Failing(answer))
    with pytest.raises(CountingError, match="counter Failing") as raised:
        counter.count_now("a b")
    cause = answer if isinstance(answer, Exception) else None
    assert raised.value.__cause__ is cause


def test_a_counters_own_error_says_what_it_said() -> None:
    counter = TokenCounter()
    counter.plug_in(Failing(CountingError("no key")))
    with pytest.raises(CountingError, match=r"^no key$"):
        counter.count_now("a b")
