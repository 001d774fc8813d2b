"""Budgets: what they hold, and what they leave of a model's window."""

import math
from typing import Any

import pytest

from token_tracking.window.budget import UNKNOWN_WINDOW, Budget, room_of
from token_tracking.window.errors import InvalidBudgetError

SONNET = "claude-sonnet-4-5"
"""A window of 200,000 tokens, and answers of up to 64,000."""


def test_the_small_preset_has_the_figures_of_chat_agents():
    small = Budget.small()
    assert small.max_context_tokens == 6000
    assert small.max_history_tokens == 3000
    assert small.max_rag_tokens == 1500
    assert small.max_output_tokens == 1000
    assert small.enable_summarization


@pytest.mark.parametrize("value", [0, -1, 1.5, True, "6000", [6000], math.nan])
@pytest.mark.parametrize(
    "name", ["max_context_tokens", "max_history_tokens", "max_rag_tokens", "max_output_tokens"]
)
def test_an_amount_that_is_no_number_of_tokens_is_named(name: str, value: Any):
    with pytest.raises(InvalidBudgetError, match=name):
        Budget(**{name: value})


@pytest.mark.parametrize("value", [0, -0.5, 1.1, True, math.nan, "0.8", None])
def test_a_threshold_that_is_no_share_is_named(value: Any):
    with pytest.raises(InvalidBudgetError, match="summarize_threshold"):
        Budget(summarize_threshold=value)


def test_the_context_is_the_window_less_the_answers_reserve():
    room = room_of(Budget(), SONNET)
    assert (room.window, room.output, room.context) == (200_000, 20_000, 180_000)
    room = room_of(Budget(max_output_tokens=4_000), SONNET)
    assert (room.output, room.context) == (4_000, 196_000)


def test_a_small_window_reserves_a_quarter_for_the_answer():
    room = room_of(Budget(), SONNET, window=10_000)
    assert (room.window, room.output, room.context) == (10_000, 2_500, 7_500)


def test_a_budget_above_the_window_is_what_the_window_leaves():
    assert room_of(Budget(max_context_tokens=10**7), SONNET).context == 180_000
    assert room_of(Budget(max_context_tokens=180_000), SONNET).context == 180_000
    assert room_of(Budget(max_context_tokens=167_999), SONNET).context == 167_999


def test_an_unknown_model_has_the_usual_window():
    room = room_of(Budget(), "nobody-knows-this-model")
    assert room.window == UNKNOWN_WINDOW
    assert room.max_output is None


def test_an_answer_longer_than_the_model_writes_is_refused():
    assert room_of(Budget(max_output_tokens=64_000), SONNET).output == 64_000
    with pytest.raises(InvalidBudgetError, match="at most 64,000"):
        room_of(Budget(max_output_tokens=64_001), SONNET)


def test_an_answer_that_leaves_no_room_for_the_prompt_is_refused():
    assert room_of(Budget(max_output_tokens=999), "unknown", window=1_000).context == 1
    with pytest.raises(InvalidBudgetError, match="nothing is left"):
        room_of(Budget(max_output_tokens=1_000), "unknown", window=1_000)


def test_the_recommended_max_tokens_is_what_is_reserved_or_what_is_left():
    room = room_of(Budget(max_output_tokens=1_000), SONNET)
    assert room.answer(0) == 1_000
    assert room.answer(199_000) == 1_000
    assert room.answer(199_001) == 999
    assert room.answer(500_000) == 1
