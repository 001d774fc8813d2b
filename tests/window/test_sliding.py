"""The oldest whole turns are left out."""

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
    texts,
    tool_round,
    user,
    window_of,
    words,
)
from token_tracking.window.errors import DoesNotFitError, InvalidBudgetError
from token_tracking.window.laws import validate
from token_tracking.window.policies.sliding import SlidingWindow

relaxed = settings(
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
conversations = st.one_of(anthropic_conversations(most_turns=6), openai_conversations(most_turns=6))


async def test_a_history_below_its_limit_is_left_alone():
    messages = chat(6)
    prepared = await prepare(window_of(SlidingWindow(max_tokens=1_030)), messages)
    assert prepared.tokens.history == 1_030
    assert len(prepared.messages) == 11
    assert prepared.actions == ()


async def test_one_token_over_the_limit_goes_down_to_the_share_of_it():
    messages = chat(6)
    prepared = await prepare(window_of(SlidingWindow(max_tokens=1_029, to=0.7)), messages)
    assert prepared.tokens.history <= 0.7 * 1_029
    assert not said(prepared, "a2_0")
    assert said(prepared, "q3_0")
    (action,) = prepared.actions
    assert action.is_done
    assert action.what == "left out the 3 oldest turns"
    assert action.tokens == 1_030 - prepared.tokens.history


async def test_of_a_small_history_as_many_turns_stay_as_fit():
    prepared = await prepare(window_of(SlidingWindow(max_tokens=1_029)), chat(6))
    assert not said(prepared, "a0_0")
    assert said(prepared, "q2_0")
    assert 800 < prepared.tokens.history <= 1_029


async def test_what_was_said_first_stays_and_its_answer_goes():
    prepared = await prepare(window_of(SlidingWindow(max_tokens=400)), chat(6))
    first = texts(prepared)[:2]
    assert first == [words(100, "q0_"), "[4 earlier turns are left out here to save context.]"]
    assert not said(prepared, "a0_0")
    assert said(prepared, "q4_0")


async def test_the_bytes_stay_until_the_limit_is_reached_again():
    window = window_of(SlidingWindow(max_tokens=1_200, to=0.7))
    before: list[str] = []
    moves = 0
    for request in requests_of(chat(20)):
        prepared = await prepare(window, request)
        now = texts(prepared)
        assert prepared.tokens.history <= 1_200
        assert prepared.actions or now[: len(before)] == before
        moves += len(prepared.actions)
        before = now
    assert moves == 5  # before turns 7, 10, 13, 16 and 19


async def test_a_lower_share_moves_less_often():
    window = window_of(SlidingWindow(max_tokens=1_200, to=0.2, keep_turns=0))
    done = 0
    for request in requests_of(chat(20)):
        done += len((await prepare(window, request)).actions)
    assert done <= 4


async def test_the_limit_is_the_budget_s_by_default():
    prepared = await prepare(window_of(SlidingWindow(), history=500), chat(6))
    assert prepared.tokens.history <= 500


async def test_without_a_limit_only_the_context_budget_counts():
    assert (await prepare(window_of(SlidingWindow()), chat(40))).actions == ()
    prepared = await prepare(window_of(SlidingWindow(), context=800), chat(6))
    assert prepared.tokens.total <= 800
    (action,) = prepared.actions
    assert action.why == "the prompt is over its budget"


async def test_the_newest_turns_stay_where_only_the_history_is_over():
    prepared = await prepare(window_of(SlidingWindow(max_tokens=10, keep_turns=2)), chat(6))
    assert said(prepared, "q3_0")
    assert said(prepared, "q4_0")
    assert not said(prepared, "q2_0")


async def test_the_newest_turns_go_where_the_prompt_would_not_fit():
    policy = SlidingWindow(keep_turns=3)
    prepared = await prepare(window_of(policy, context=450), chat(6))
    assert prepared.tokens.total <= 450
    assert said(prepared, "q4_0")
    assert not said(prepared, "q3_0")


async def test_a_turn_is_never_cut_in_half():
    turn = [*tool_round(1, 50), *tool_round(2, 50), assistant("so it is")]
    messages = [user("the task"), *turn, user("more"), *tool_round(3, 50), assistant("well")]
    messages += [user("the end"), *tool_round(4, 10)]
    prepared = await prepare(window_of(SlidingWindow(max_tokens=70, keep_turns=0)), messages)
    assert not said(prepared, "t1")
    assert not said(prepared, "t2")
    assert not said(prepared, "t3")
    assert said(prepared, "the end")
    assert said(prepared, "t4")


async def test_a_last_turn_larger_than_everything_is_left_alone():
    messages = [user("the task"), *(each for n in range(9) for each in tool_round(n, 100))]
    prepared = await prepare(window_of(SlidingWindow(max_tokens=50)), messages)
    assert prepared.actions == ()
    with pytest.raises(DoesNotFitError):
        await prepare(window_of(SlidingWindow(), context=500), messages)


async def test_turns_smaller_than_a_note_are_left_out_without_one():
    policy = SlidingWindow(max_tokens=15, to=0.9)
    prepared = await prepare(window_of(policy), chat(3, size=1))
    assert texts(prepared) == ["q0_0", "q1_0", "a1_0", "q2_0"]
    assert prepared.actions[0].tokens == 4


async def test_a_conversation_changed_where_turns_are_left_out_is_sent_whole_again():
    window = window_of(SlidingWindow(max_tokens=800, to=0.7))
    messages = chat(6)
    assert said(await prepare(window, messages), "left out here")
    changed = [*messages[:3], assistant("something else"), *messages[4:7]]
    prepared = await prepare(window, changed)
    assert said(prepared, "a0_0")
    assert said(prepared, "something else")
    assert not said(prepared, "left out here")


async def test_a_conversation_changed_behind_what_is_left_out_stays_short():
    window = window_of(SlidingWindow(max_tokens=800, to=0.7))
    messages = chat(6)
    before = await prepare(window, messages)
    prepared = await prepare(window, [*messages[:-1], user("another question")])
    assert texts(prepared)[:-1] == texts(before)[:-1]


async def test_it_goes_on_from_the_messages_that_were_handed_back():
    window = window_of(SlidingWindow(max_tokens=800, to=0.7))
    prepared = await prepare(window, chat(6))
    messages: list[Message] = [*prepared.messages, assistant("fine"), user("go on")]
    again = await window.prepare("be brief", messages)
    assert validate(again.messages) is None
    assert texts(again) == [*texts(prepared), "fine", "go on"]


@pytest.mark.parametrize(
    "options",
    [
        {"to": 0},
        {"to": 1.1},
        {"to": True},
        {"to": float("nan")},
        {"max_tokens": 0},
        {"max_tokens": 2.5},
        {"keep_turns": -1},
        {"keep_turns": False},
    ],
)
def test_a_number_that_makes_no_sense_is_refused(options: dict[str, object]):
    with pytest.raises(InvalidBudgetError, match=next(iter(options))):
        SlidingWindow(**options)  # pyright: ignore[reportArgumentType]


@given(st.data(), st.integers(5, 300), st.integers(0, 2))
@relaxed
@pytest.mark.slow
async def test_every_conversation_stays_valid(data: st.DataObject, limit: int, keep: int):
    messages = data.draw(conversations)
    window = window_of(SlidingWindow(max_tokens=limit, keep_turns=keep), form=form_name(messages))
    for request in requests_of(messages):
        prepared = await window.prepare(None, request)
        assert validate(prepared.messages, original=request) is None


@given(st.data(), st.integers(20, 300))
@relaxed
@pytest.mark.slow
async def test_what_fits_a_budget_is_valid_and_within_it(data: st.DataObject, context: int):
    messages = data.draw(conversations)
    window = window_of(SlidingWindow(), context=context, form=form_name(messages))
    for request in requests_of(messages):
        try:
            prepared = await window.prepare(None, request)
        except DoesNotFitError:
            continue
        assert validate(prepared.messages, original=request) is None
        assert prepared.tokens.total <= context
