"""A conversation starts afresh between two turns."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.window.strategies import anthropic_conversations, openai_conversations
from tests.window.talk import (
    assistant,
    chat,
    form_name,
    prepare,
    requests_of,
    said,
    texts,
    tool_round,
    user,
    window_of,
    words,
)
from token_tracking.window.budget import Budget
from token_tracking.window.errors import DoesNotFitError, InvalidBudgetError
from token_tracking.window.laws import validate
from token_tracking.window.policies.reset import AutoReset
from token_tracking.window.summaries import SummaryRequest

relaxed = settings(
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
conversations = st.one_of(anthropic_conversations(most_turns=6), openai_conversations(most_turns=6))


def noted(_: SummaryRequest) -> str:
    return "noted"


def failing(_: SummaryRequest) -> str:
    raise OSError("down")


async def test_below_its_threshold_nothing_happens():
    prepared = await prepare(window_of(AutoReset(), context=1_500), chat(6))
    assert prepared.actions == ()
    assert len(prepared.messages) == 11


async def test_past_it_the_task_and_the_last_turn_are_left():
    prepared = await prepare(window_of(AutoReset(), context=1_300), chat(6))
    note = "[5 earlier turns are left out here to save context.]"
    assert texts(prepared) == [words(100, "q0_"), note, words(100, "q5_")]
    (action,) = prepared.actions
    assert action.what == "started afresh without 5 turns"
    assert action.why == "the prompt has passed 80% of its budget"
    assert action.tokens == 1_030 - prepared.tokens.history


async def test_exactly_at_the_threshold_nothing_happens():
    total = (await prepare(window_of(()), chat(6))).tokens.total
    policy = AutoReset(threshold=0.5)
    assert (await prepare(window_of(policy, context=2 * total), chat(6))).actions == ()
    assert (await prepare(window_of(policy, context=2 * total - 1), chat(6))).actions


async def test_what_comes_after_goes_on_from_there():
    window = window_of(AutoReset(), context=1_300)
    resets = 0
    before: list[str] = []
    for request in requests_of(chat(30)):
        prepared = await prepare(window, request)
        assert prepared.actions or texts(prepared)[: len(before)] == before
        resets += len(prepared.actions)
        before = texts(prepared)
    assert resets == 7  # before turns 6, 10, 14, ..., 30
    assert before[1] == "[29 earlier turns are left out here to save context.]"


async def test_while_tools_are_called_nothing_happens():
    window = window_of(AutoReset(threshold=0.5), context=2_000)
    messages = [*chat(4), *tool_round(1, 300)]
    assert (await prepare(window, messages)).actions == ()
    messages += tool_round(2, 300)
    assert (await prepare(window, messages)).actions == ()
    messages += [assistant("done"), user("what next?")]
    prepared = await prepare(window, messages)
    assert len(prepared.actions) == 1
    assert texts(prepared)[-1] == "what next?"
    assert not said(prepared, "t1")


async def test_the_first_turn_is_never_left_out():
    window = window_of(AutoReset(threshold=0.1), context=1_000)
    prepared = await prepare(window, [user(words(500))])
    assert prepared.actions == ()


async def test_the_newest_turns_may_stay():
    prepared = await prepare(window_of(AutoReset(keep_turns=2), context=1_300), chat(6))
    assert said(prepared, "q3_0")
    assert not said(prepared, "q2_0")


async def test_where_the_history_is_small_a_fresh_start_would_bring_nothing():
    window = window_of(AutoReset(), context=1_300)
    messages = [*chat(2, size=5), assistant("well"), user(words(1_100))]
    prepared = await prepare(window, messages)
    (action,) = prepared.actions
    assert not action.is_done
    assert "hardly anything of it is of earlier turns" in action.why
    assert len(prepared.messages) == 5


async def test_the_model_may_be_told_something_else():
    policy = AutoReset(note="[A new start. Your notes are in notes.md.]")
    window = window_of(policy, context=1_300)
    assert texts(await prepare(window, chat(6)))[1] == policy.note
    assert texts(await prepare(window, chat(16)))[1] == policy.note


async def test_the_earlier_turns_may_be_summarised():
    policy = AutoReset(summariser=lambda given: f"notes on {given.turns} turns")
    prepared = await prepare(window_of(policy, context=1_300), chat(6))
    assert said(prepared, "notes on 5 turns")
    (action,) = prepared.actions
    assert action.policy == "auto_reset"
    assert action.why == "started afresh: the prompt has passed 80% of its budget"


async def test_without_the_summary_that_was_asked_for_the_history_stays():
    policy = AutoReset(summariser=failing)
    prepared = await prepare(window_of(policy, context=1_300), chat(6))
    assert len(prepared.messages) == 11
    (action,) = prepared.actions
    assert not action.is_done
    assert "OSError: down" in action.why


async def test_where_summaries_are_off_it_starts_afresh_without_one():
    budget = Budget(max_context_tokens=1_300, enable_summarization=False)
    prepared = await prepare(window_of(AutoReset(summariser=failing), budget=budget), chat(6))
    assert len(prepared.messages) == 2


@pytest.mark.parametrize(
    "options",
    [
        {"threshold": 0},
        {"threshold": 1.5},
        {"keep_turns": -1},
        {"note": " "},
        {"summariser": "me"},
        {"summariser": failing, "max_tokens": 0},
    ],
)
def test_what_makes_no_sense_is_refused(options: dict[str, Any]):
    with pytest.raises(InvalidBudgetError, match=list(options)[-1]):
        AutoReset(**options)


@given(st.data(), st.integers(20, 300), st.integers(0, 2), st.booleans())
@relaxed
@pytest.mark.slow
async def test_every_conversation_stays_valid(
    data: st.DataObject, context: int, keep: int, is_summarised: bool
):
    messages = data.draw(conversations)
    summariser = noted if is_summarised else None
    policy = AutoReset(threshold=0.3, keep_turns=keep, summariser=summariser)
    window = window_of(policy, context=context, form=form_name(messages))
    for request in requests_of(messages):
        try:
            prepared = await window.prepare(None, request)
        except DoesNotFitError:
            continue
        assert validate(prepared.messages, original=request) is None
