"""Old results first, then a summary, and at last whole turns."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.window.strategies import anthropic_conversations, openai_conversations
from tests.window.talk import (
    Message,
    assistant,
    chat,
    form_name,
    prepare,
    requests_of,
    said,
    tool_round,
    user,
    window_of,
)
from token_tracking.window.errors import DoesNotFitError, InvalidBudgetError
from token_tracking.window.laws import validate
from token_tracking.window.policies.clear import ClearToolResults
from token_tracking.window.policies.hybrid import Hybrid
from token_tracking.window.policies.sliding import SlidingWindow
from token_tracking.window.summaries import SummaryRequest

relaxed = settings(
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
conversations = st.one_of(anthropic_conversations(most_turns=6), openai_conversations(most_turns=6))


def brief(request: SummaryRequest) -> str:
    return f"notes on {request.turns} turns"


def failing(_: SummaryRequest) -> str:
    raise OSError("down")


def with_tools(turns: int, size: int = 300) -> list[Message]:
    """Turns with a result of `size` words each, the last without its answer."""
    messages = [
        message
        for number in range(turns)
        for message in (
            user(f"question {number}"),
            *tool_round(number, size),
            assistant(f"answer {number}"),
        )
    ]
    return messages[:-1]


async def test_where_clearing_results_is_enough_no_turn_goes():
    hybrid = Hybrid(brief, clear=ClearToolResults(keep=2))
    window = window_of(hybrid, context=1_000)
    prepared = await prepare(window, with_tools(4))
    assert [action.policy for action in prepared.actions] == ["clear_tool_results"]
    assert len(prepared.messages) == 15
    assert not said(prepared, "notes on")


async def test_where_it_is_not_a_summary_is_written():
    hybrid = Hybrid(brief, keep_turns=1)
    prepared = await prepare(window_of(hybrid, context=1_500), chat(10))
    assert [action.policy for action in prepared.actions] == ["summarize"]
    assert said(prepared, "notes on 8 turns")


async def test_a_summariser_gets_what_clearing_left():
    requests: list[SummaryRequest] = []

    def noting(request: SummaryRequest) -> str:
        requests.append(request)
        return "noted"

    hybrid = Hybrid(noting, clear=ClearToolResults(keep=3, keep_used=False), keep_turns=1)
    prepared = await prepare(window_of(hybrid, context=900, history=500), with_tools(12))
    assert [action.policy for action in prepared.actions] == ["clear_tool_results", "summarize"]
    assert "Result of look" in str(requests[0].messages[1])
    assert said(prepared, "noted")


async def test_without_a_summary_whole_turns_go():
    prepared = await prepare(window_of(Hybrid(failing, keep_turns=1), context=1_500), chat(10))
    done = [(action.policy, action.is_done) for action in prepared.actions]
    assert done == [("summarize", False), ("sliding_window", True)]
    assert prepared.tokens.total <= 1_500


async def test_where_a_summary_is_not_enough_whole_turns_go_as_well():
    hybrid = Hybrid(brief, keep_turns=4)
    prepared = await prepare(window_of(hybrid, context=800), chat(10))
    done = [action.policy for action in prepared.actions]
    assert done == ["summarize", "sliding_window"]
    assert said(prepared, "5 earlier turns are left out here to save context. This")
    assert said(prepared, "without a summary")
    assert prepared.tokens.total <= 800


async def test_a_later_summary_keeps_saying_what_has_none():
    window = window_of(Hybrid(brief, keep_turns=4), context=800)
    await prepare(window, chat(10))
    prepared = await prepare(window, chat(17))
    assert said(prepared, "without a summary")
    assert prepared.tokens.total <= 800


async def test_its_steps_may_be_others():
    hybrid = Hybrid(failing, slide=SlidingWindow(max_tokens=300, keep_turns=0))
    prepared = await prepare(window_of(hybrid), chat(10))
    assert [action.policy for action in prepared.actions] == ["sliding_window"]
    assert hybrid.name == "hybrid"


def test_a_number_that_makes_no_sense_is_refused():
    with pytest.raises(InvalidBudgetError, match="keep_turns"):
        Hybrid(brief, keep_turns=-1)


@given(st.data(), st.integers(20, 300), st.integers(0, 2), st.booleans())
@relaxed
@pytest.mark.slow
async def test_every_conversation_stays_valid_and_within_its_budget(
    data: st.DataObject, context: int, keep: int, fails: bool
):
    messages = data.draw(conversations)
    hybrid = Hybrid(failing if fails else brief, keep_turns=keep, clear=ClearToolResults(keep=1))
    window = window_of(hybrid, context=context, form=form_name(messages))
    for request in requests_of(messages):
        try:
            prepared = await window.prepare(None, request)
        except DoesNotFitError:
            continue
        assert validate(prepared.messages, original=request) is None
        assert prepared.tokens.total <= context
