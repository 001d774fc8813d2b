"""Old turns are replaced by a running summary, or stay."""

import asyncio
from itertools import count
from typing import Any, cast

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
from token_tracking.window.errors import InvalidBudgetError
from token_tracking.window.laws import validate
from token_tracking.window.policies.summarize import Summarize
from token_tracking.window.prepared import Action, Prepared
from token_tracking.window.remaining import Remaining
from token_tracking.window.summaries import Summariser, SummaryRequest

relaxed = settings(
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
conversations = st.one_of(anthropic_conversations(most_turns=6), openai_conversations(most_turns=6))


class Notes:
    """A summariser that keeps what it was asked, and numbers what it says."""

    def __init__(self, size: int = 20) -> None:
        self.requests: list[SummaryRequest] = []
        self._size = size

    async def __call__(self, request: SummaryRequest) -> str:
        self.requests.append(request)
        return f"notes{len(self.requests)} {words(self._size - 1, 'note')}"


class Long:
    """Knows of as many requests to come as it is told."""

    def __init__(self, requests: float) -> None:
        self._requests = requests

    def expected(self, made: int) -> float:
        del made
        return self._requests


def saying(answer: Any) -> Summariser:
    def summariser(_: SummaryRequest) -> str:
        return answer

    return summariser


def failing(_: SummaryRequest) -> str:
    raise OSError("no route to host")


def action_of(prepared: Prepared) -> Action:
    (action,) = prepared.actions
    return action


async def test_old_turns_become_a_summary_behind_the_task():
    notes = Notes()
    prepared = await prepare(window_of(Summarize(notes), history=1_000), chat(6))
    task, summary, *rest = texts(prepared)
    assert task == words(100, "q0_")
    assert summary.startswith("[2 earlier turns are left out here to save context.")
    assert "\nnotes1 note0" in summary
    assert rest[0] == words(100, "q2_")
    assert len(rest) == 7
    action = action_of(prepared)
    assert (action.what, action.why) == ("summarised 2 turns", "the history is over its limit")
    assert action.tokens == 1_030 - prepared.tokens.history


async def test_the_summariser_gets_what_would_be_sent_of_whole_turns():
    notes = Notes()
    messages = [user("the task"), *tool_round(1, 300), *chat(5)[1:]]
    await prepare(window_of(Summarize(notes, keep_turns=1), history=900), messages)
    (request,) = notes.requests
    assert request.messages == messages[1:8]
    assert request.task == "the task"
    assert request.turns == 3
    assert request.previous is None
    assert (request.model, request.form) == ("claude-sonnet-4-5", "anthropic")


async def test_what_a_summariser_does_to_its_messages_changes_nothing():
    def spoiling(request: SummaryRequest) -> str:
        for message in request.messages:
            message["content"] = "spoilt"
        raise ValueError("and failed")

    prepared = await prepare(window_of(Summarize(spoiling), history=1_000), chat(6))
    assert texts(prepared) == [message["content"] for message in chat(6)]


async def test_a_summary_takes_in_the_one_before_it():
    notes = Notes()
    window = window_of(Summarize(notes), history=1_000)
    for request in requests_of(chat(12)):
        prepared = await prepare(window, request)
        assert prepared.tokens.history <= 1_000
    assert [request.turns for request in notes.requests] == [2, 2, 2, 2]
    assert notes.requests[0].previous is None
    assert notes.requests[1].previous == f"notes1 {words(19, 'note')}"
    prepared = await prepare(window, chat(12))
    assert said(prepared, "8 earlier turns are left out")
    assert not said(prepared, "notes1 ")


async def test_the_summary_stays_the_same_bytes_until_the_next_one():
    window = window_of(Summarize(Notes()), history=1_300)
    before: list[str] = []
    for request in requests_of(chat(20)):
        prepared = await prepare(window, request)
        assert prepared.actions or texts(prepared)[: len(before)] == before
        before = texts(prepared)


async def test_a_plain_function_may_summarise():
    prepared = await prepare(window_of(Summarize(lambda _: "short"), history=1_000), chat(6))
    assert said(prepared, "\\nshort\\n")


@pytest.mark.parametrize(
    ("summariser", "reason"),
    [
        (failing, "the summariser failed: OSError: no route to host"),
        (saying(""), "the summariser gave an empty text"),
        (saying("  \n"), "the summariser gave an empty text"),
        (saying(None), "the summariser gave a value of type NoneType, not a text"),
        (saying(words(500)), "the summary has 529 tokens, no fewer than the 309 that it"),
    ],
)
async def test_a_summariser_without_a_good_summary_leaves_the_history_as_it_is(
    summariser: Summariser, reason: str
):
    messages = chat(6)
    prepared = await prepare(window_of(Summarize(summariser), history=1_000), messages)
    assert texts(prepared) == [message["content"] for message in messages]
    action = action_of(prepared)
    assert not action.is_done
    assert action.why.startswith(reason)


async def test_a_summariser_that_hangs_leaves_the_history_as_it_is():
    async def hanging(_: SummaryRequest) -> str:
        await asyncio.Event().wait()
        return "never"

    policy = Summarize(hanging, timeout=0.02)
    prepared = await prepare(window_of(policy, history=1_000), chat(6))
    assert action_of(prepared).why == "the summariser took more than 0.02 s"
    assert len(prepared.messages) == 11


async def test_a_summariser_that_failed_is_asked_again_only_when_there_is_more():
    asked: list[int] = []

    def counting(request: SummaryRequest) -> str:
        asked.append(len(request.messages))
        raise OSError("down")

    window = window_of(Summarize(counting, keep_turns=1), history=1_000)
    for request in requests_of(chat(6)):
        await prepare(window, request)
    assert asked == [7]
    messages = [*chat(6), assistant("short"), user("again?")]
    prepared = await prepare(window, messages)
    assert asked == [7]
    assert "asked again when there is more" in action_of(prepared).why
    messages += [assistant(words(150)), user("and now?")]
    await prepare(window, messages)
    assert len(asked) == 2


async def test_a_summariser_that_recovered_is_used():
    answers = iter(["", "well again"])
    window = window_of(Summarize(lambda _: next(answers)), history=1_000)
    await prepare(window, chat(6))
    prepared = await prepare(window, chat(8))
    assert said(prepared, "well again")


async def test_below_the_threshold_nobody_is_asked():
    notes = Notes()
    prepared = await prepare(window_of(Summarize(notes), context=1_500), chat(6))
    assert prepared.tokens.total < 0.8 * 1_500
    assert notes.requests == []
    assert prepared.actions == ()


async def test_past_its_own_threshold_it_acts():
    policy = Summarize(Notes(), threshold=0.5, price_ratio=0.1)
    prepared = await prepare(window_of(policy, context=2_000), chat(6))
    assert action_of(prepared).why == "the prompt has passed 50% of its budget"
    assert action_of(prepared).is_done


async def test_past_the_budget_s_threshold_it_acts():
    budget = Budget(max_context_tokens=2_000, summarize_threshold=0.4)
    policy = Summarize(Notes(), price_ratio=0.1)
    prepared = await prepare(window_of(policy, budget=budget), chat(6))
    assert action_of(prepared).why == "the prompt has passed 40% of its budget"


async def test_where_summaries_are_off_it_does_nothing():
    budget = Budget(max_history_tokens=10, enable_summarization=False)
    notes = Notes()
    prepared = await prepare(window_of(Summarize(notes), budget=budget), chat(6))
    assert notes.requests == []
    assert prepared.actions == ()


async def _grown(policy: Summarize, remaining: Remaining, idle_seconds: int = 60) -> Prepared:
    """A conversation that has just passed the threshold; the cache lives for 300 seconds."""
    clock = count(1_800_000_000, idle_seconds)
    window = window_of(policy, context=10_000, remaining=remaining, clock=lambda: next(clock))
    for request in requests_of(chat(41)):
        prepared = await prepare(window, request)
        if prepared.actions:
            return prepared
    raise AssertionError("it has not passed the threshold")


async def test_a_summary_that_would_not_pay_is_not_asked_for():
    notes = Notes()
    action = action_of(await _grown(Summarize(notes), Long(3)))
    assert action.why == "would not pay for the summary"
    assert not action.is_done
    assert notes.requests == []


async def test_a_summary_that_pays_only_if_the_conversation_goes_on_has_to_wait():
    notes = Notes()
    action = action_of(await _grown(Summarize(notes), Long(500)))
    assert action.why == "not yet: it would cost too much if it ended here"
    assert notes.requests == []


async def test_a_summary_that_pays_is_asked_for():
    notes = Notes()
    action = action_of(await _grown(Summarize(notes, price_ratio=0.5), Long(100), 3_600))
    assert action.is_done
    assert len(notes.requests) == 1


async def test_a_summariser_at_a_lower_price_pays_sooner():
    full, small = Summarize(Notes()), Summarize(Notes(), price_ratio=0.2)
    remaining = Long(3)
    assert not action_of(await _grown(full, remaining, 3_600)).is_done
    assert action_of(await _grown(small, remaining, 3_600)).is_done


async def test_without_a_gate_it_acts_where_it_does_not_pay():
    assert action_of(await _grown(Summarize(Notes(), is_gated=False), Long(0))).is_done


async def test_where_the_prompt_does_not_fit_it_acts_where_it_does_not_pay():
    window = window_of(Summarize(Notes()), context=1_000, remaining=Long(0))
    prepared = await prepare(window, chat(6))
    assert action_of(prepared).is_done
    assert prepared.tokens.total <= 1_000


async def test_a_few_words_are_not_worth_a_call():
    notes = Notes()
    messages = chat(6, size=5)
    prepared = await prepare(window_of(Summarize(notes), history=10), messages)
    assert notes.requests == []
    assert action_of(prepared).why == "the old turns have less than 200 tokens"


async def test_a_small_history_is_given_a_small_summary():
    notes = Notes()
    await prepare(window_of(Summarize(notes), history=1_000), chat(6))
    assert notes.requests[0].max_tokens == 309 // 4
    notes = Notes()
    await prepare(window_of(Summarize(notes, max_tokens=50), history=1_000), chat(6))
    assert notes.requests[0].max_tokens == 50


async def test_a_change_behind_the_summarised_turns_keeps_their_summary():
    notes = Notes()
    window = window_of(Summarize(notes), history=1_000)
    messages = chat(6)
    before = texts(await prepare(window, messages))
    again = texts(await prepare(window, [*messages[:-1], user("or rather this")]))
    assert again == [*before[:-1], "or rather this"]
    await prepare(window, [*messages[:-1], user("or rather this"), *chat(4)[1:]])
    assert notes.requests[-1].previous == f"notes1 {words(19, 'note')}"


async def test_a_change_in_the_summarised_turns_undoes_their_summary():
    notes = Notes()
    window = window_of(Summarize(notes), history=1_000)
    messages = chat(6)
    await prepare(window, messages)
    changed = [messages[0], assistant(words(100, "other")), *messages[2:]]
    prepared = await prepare(window, changed)
    assert notes.requests[1].messages[0] == changed[1]
    assert notes.requests[1].previous is None
    assert said(prepared, "notes2")
    short = await prepare(window, [messages[0], assistant("a third answer"), user("so?")])
    assert texts(short) == [messages[0]["content"], "a third answer", "so?"]


async def test_a_task_in_blocks_keeps_its_breakpoint():
    control = {"type": "ephemeral"}
    block = {"type": "text", "text": "the task", "cache_control": control}
    messages = [{"role": "user", "content": [block]}, *chat(7)[1:]]
    prepared = await prepare(window_of(Summarize(Notes()), history=1_000), messages)
    assert prepared.messages[0]["content"][0] == block
    assert "notes1" in prepared.messages[0]["content"][1]["text"]


@pytest.mark.parametrize(
    "options",
    [
        {"threshold": 0},
        {"threshold": 2},
        {"keep_turns": -1},
        {"max_tokens": 0},
        {"timeout": 0},
        {"timeout": float("nan")},
        {"price_ratio": -0.1},
    ],
)
def test_a_number_that_makes_no_sense_is_refused(options: dict[str, Any]):
    with pytest.raises(InvalidBudgetError, match=next(iter(options))):
        Summarize(Notes(), **options)


def test_a_summariser_that_cannot_be_called_is_refused():
    with pytest.raises(InvalidBudgetError, match="summariser is 'me'"):
        Summarize(cast("Summariser", "me"))


@given(st.data(), st.integers(1, 120), st.integers(0, 2), st.integers(1, 40))
@relaxed
@pytest.mark.slow
async def test_every_conversation_stays_valid(
    data: st.DataObject, limit: int, keep: int, size: int
):
    messages = data.draw(conversations)
    notes = Notes(size)
    window = window_of(Summarize(notes, keep_turns=keep), history=limit, form=form_name(messages))
    tokens = 0
    for request in requests_of(messages):
        prepared = await window.prepare(None, request)
        assert validate(prepared.messages, original=request) is None
        tokens += sum(action.tokens for action in prepared.actions if action.is_done)
    assert tokens >= 0
    assert all(each.messages and each.max_tokens > 0 for each in notes.requests)
