"""A conversation that goes back and on again: what is sent is whole, and valid."""

import asyncio
import copy
import threading
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.window.talk import (
    MODEL,
    Message,
    agent,
    assistant,
    chat,
    json_of,
    listed,
    prepare,
    requests_of,
    said,
    texts,
    tool_round,
    user,
    window_of,
    words,
)
from token_tracking.counting import TokenCount, TokenCounter
from token_tracking.window.draft import Draft
from token_tracking.window.errors import DoesNotFitError, InvalidConversationError
from token_tracking.window.laws import validate
from token_tracking.window.policies.cap import CapToolResults
from token_tracking.window.policies.clear import ClearToolResults
from token_tracking.window.policies.emergency import Emergency
from token_tracking.window.policies.sliding import SlidingWindow
from token_tracking.window.window import ContextWindow

FIVE = {"type": "ephemeral"}
HOUR = {"type": "ephemeral", "ttl": "1h"}


def openai_round(number: int, size: int) -> list[Message]:
    call = {"id": f"t{number}", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    return [
        {"role": "assistant", "content": words(size), "tool_calls": [call]},
        {"role": "tool", "tool_call_id": f"t{number}", "content": words(size, "found")},
    ]


@pytest.mark.parametrize("policy", [Emergency(), SlidingWindow(keep_turns=0)])
@pytest.mark.parametrize("turns", range(1, 8))
async def test_the_turn_that_a_conversation_went_back_to_is_whole(policy: Any, turns: int):
    talk = chat(8)
    window = window_of(policy, context=400)
    assert len((await prepare(window, talk)).messages) < len(talk)
    prepared = await prepare(window, chat(turns))
    assert texts(prepared)[-1] == words(100, f"q{turns - 1}_")


async def test_a_turn_that_was_left_out_and_is_over_stays_out():
    window = window_of(Emergency(), context=400)
    first = await prepare(window, chat(8))
    other = await prepare(window, [*chat(8)[:-1], user("something else")])
    assert json_of(other.messages)[:-1] == json_of(first.messages)[:-1]


async def test_the_words_that_a_picture_goes_with_are_there_again():
    image = {"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}}
    picture = {"role": "user", "content": [image]}
    window = window_of(Emergency(), context=6_000)
    await prepare(window, chat(8, 500))
    front = [*chat(2, 500), assistant(words(500))]
    assert said(await prepare(window, [*front, picture]), words(500, "q1_"))


@pytest.mark.parametrize("form", ["anthropic", "openai"])
@pytest.mark.parametrize("kept", range(1, 6))
async def test_no_result_is_sent_without_its_call(form: Any, kept: int):
    make: Any = tool_round if form == "anthropic" else openai_round
    talk = [user("task"), *(each for number in range(20) for each in make(number, 40))]
    window = window_of(Emergency(), context=400, form=form)
    first = await window.prepare(None, talk)
    assert len(first.messages) < len(talk)
    redone = copy.deepcopy(talk[: 2 * kept + 1])
    redone[-1] = {**redone[-1], **copy.deepcopy(make(kept - 1, 41)[1])}
    prepared = await window.prepare(None, redone)
    assert validate(prepared.messages, original=redone) is None
    assert said(prepared, words(41, "found"))


class LeavesOutACall:
    name = "wrong"

    async def shape(self, draft: Draft) -> None:
        if len(draft.conversation.messages) > 5:
            draft.drop(range(1, 2))


@pytest.mark.parametrize("rounds", [3, 400])
async def test_what_is_not_valid_is_never_handed_out(rounds: int):
    for window in (window_of(LeavesOutACall()), window_of(LeavesOutACall())):
        with suppress(InvalidConversationError):
            await window.prepare(None, agent(2))
        with pytest.raises(InvalidConversationError, match="a policy has left out too much"):
            await window.prepare(None, agent(rounds))


async def test_what_failed_was_not_sent():
    """So what is new is cut when it comes again."""
    window = window_of(CapToolResults(max_tokens=300))
    await prepare(window, agent(4, 20))
    branch = [*agent(1, 20), *tool_round(10, 5_000)]
    with pytest.raises(InvalidConversationError, match="calls_have_results"):
        await window.prepare("be brief", [*branch, tool_round(11, 1)[0], user("and?")])
    prepared = await prepare(window, [*branch, *tool_round(11, 1)])
    assert prepared.tokens.total < 500


async def test_after_a_failure_a_caller_may_still_go_on_from_what_it_got_back():
    window = window_of(())
    held = (await prepare(window, agent(4, 20))).messages
    with pytest.raises(InvalidConversationError):
        await window.prepare("be brief", [*agent(1, 20), tool_round(11, 1)[0], user("and?")])
    prepared = await window.prepare("be brief", [*held, *tool_round(4, 20)])
    assert json_of(prepared.messages) == json_of(agent(5, 20))


async def test_who_is_cancelled_may_ask_again():
    window = ContextWindow(MODEL)
    with suppress(TimeoutError):
        await asyncio.wait_for(window.prepare(None, agent(1_000, 50)), 0.001)
    assert len((await window.prepare(None, agent(1_000, 50))).messages) == 2_001


class Noting:
    """Counts words, and notes whether it does so on the event loop."""

    def __init__(self) -> None:
        self.loop = threading.get_ident()
        self.on_loop: list[int] = []

    def count(self, text: str) -> TokenCount:
        if threading.get_ident() == self.loop:
            self.on_loop.append(len(text))
        return TokenCount(tokens=len(text.split()), method="words", exact=True, error_p95=0.0)


LARGE = {
    "sixty long messages": [user("hi"), *agent(30, 2_000)[1:]],
    "two long results": [user("hi"), *agent(2, 30_000)[1:]],
    "another front": [user("hello"), *agent(60, 1)[1:]],
    "a cold conversation": agent(400, 1),
}


@pytest.mark.parametrize("talk", LARGE.values(), ids=LARGE)
async def test_what_is_large_is_read_off_the_event_loop(talk: list[Message]):
    noting, counter = Noting(), TokenCounter()
    counter.plug_in(noting)
    window = ContextWindow(MODEL, policy=(), counter=counter)
    await window.prepare(None, [user("hi")])
    assert noting.on_loop
    noting.on_loop.clear()
    await window.prepare(words(20_000), talk)
    assert not any(noting.on_loop)


NOT_GIVEN: dict[str, tuple[Any, Any, Any]] = {
    "None for messages": (None, None, None),
    "a number for messages": (None, 5, None),
    "an iterator for messages": (None, iter([user("x")]), None),
    "a message for messages": (None, user("x"), None),
    "texts in a list for a system prompt": (["x"], [user("x")], None),
    "None in a list for a system prompt": ([None], [user("x")], None),
    "a number for a system prompt": (5, [user("x")], None),
    "bytes for a system prompt": (b"x", [user("x")], None),
    "a dict for a system prompt": ({"type": "text", "text": "x"}, [user("x")], None),
    "a text for tools": (None, [user("x")], "look"),
    "a dict for tools": (None, [user("x")], {"name": "look"}),
    "names for tools": (None, [user("x")], ["look"]),
}


@pytest.mark.parametrize("form", ["anthropic", "openai", None])
@pytest.mark.parametrize(("system", "messages", "tools"), NOT_GIVEN.values(), ids=NOT_GIVEN)
async def test_what_is_of_another_kind_is_named(form: Any, system: Any, messages: Any, tools: Any):
    window = ContextWindow(MODEL, form=form)
    with pytest.raises(InvalidConversationError, match="give"):
        await window.prepare(system, messages, tools)
    assert (await window.prepare("x", [user("x")])).messages


def marked(text: str, control: Message) -> Message:
    return {"type": "text", "text": text, "cache_control": control}


async def test_more_than_four_breakpoints_of_the_caller_are_too_many():
    talk = chat(3)
    for message in talk[:3]:
        message["content"] = [marked(message["content"], FIVE)]
    tools = [{"name": "look", "input_schema": {"type": "object"}, "cache_control": FIVE}]
    window = window_of(())
    with pytest.raises(InvalidConversationError, match="5 cache breakpoints"):
        await window.prepare([marked("be brief", FIVE)], talk, tools)
    await window.prepare("be brief", talk, tools)


@pytest.mark.parametrize("in_system", [True, False])
async def test_the_callers_lifetimes_that_are_in_the_wrong_order_are_named(in_system: bool):
    talk = chat(6)
    talk[8]["content"] = [marked("hello", HOUR)]
    if not in_system:
        talk[0]["content"] = [marked("first", FIVE)]
    system = [marked("be brief", FIVE)] if in_system else None
    with pytest.raises(
        InvalidConversationError, match=r"1h follows one of 5m|1h behind one that caches for 5m"
    ):
        await window_of(()).prepare(system, talk)


@settings(deadline=None, max_examples=40)
@given(data=st.data(), caching=st.sampled_from(["5m", "1h"]))
async def test_who_goes_on_from_any_list_it_got_back_has_only_our_breakpoints(
    data: st.DataObject, caching: Any
):
    window = window_of((), caching=caching)
    held: list[list[Message]] = []
    for request in requests_of(agent(9, 300)):
        fronts = [each for each in [[], *held] if len(each) <= len(request)]
        front = data.draw(st.sampled_from(fronts))
        given_back = copy.deepcopy([*front, *request[len(front) :]])
        prepared = await window.prepare(None, given_back)
        assert json_of(prepared.messages) == json_of(request)
        assert validate(prepared.messages) is None
        marks = [b for m in prepared.messages for b in listed(m["content"]) if "cache_control" in b]
        assert len(marks) == len(prepared.breakpoints) <= 3
        held.append(prepared.messages)


async def test_openais_system_prompt_is_given_once():
    window = ContextWindow("gpt-4o", form="openai")
    talk = [{"role": "system", "content": "be kind"}, user("hello")]
    with pytest.raises(InvalidConversationError, match="give one of them"):
        await window.prepare("be brief", talk)
    alone = await window.prepare(None, talk)
    assert alone.messages == talk


async def test_openais_messages_may_be_handed_in_again_at_any_length():
    window = ContextWindow("gpt-4o", form="openai")
    held = (await window.prepare("be brief", chat(3, 5))).messages
    for back in (held[:4], held, held[:2]):
        assert (await window.prepare("be brief", back)).messages == back


@settings(deadline=None, max_examples=60)
@given(data=st.data(), context=st.integers(150, 700))
async def test_whatever_a_conversation_goes_back_to_is_sent_valid(
    data: st.DataObject, context: int
):
    talk = [user("the task")]
    number = 0
    for _ in range(data.draw(st.integers(1, 6))):
        for _ in range(data.draw(st.integers(0, 5))):
            talk += tool_round(number, data.draw(st.integers(1, 60)))
            number += 1
        talk += [assistant(words(20, "answer")), user(words(9, f"question{number}_"))]
    policies = [[Emergency()], [SlidingWindow(), Emergency()], [ClearToolResults(), Emergency()]]
    window = window_of(data.draw(st.sampled_from(policies)), context=context)
    for request in data.draw(st.lists(st.sampled_from(requests_of(talk)), max_size=6)):
        redone = copy.deepcopy(request)
        if data.draw(st.booleans()) and listed(redone[-1]["content"]):
            redone[-1]["content"][0]["content"] = "redone"
        with suppress(DoesNotFitError):
            await prepare(window, redone)
