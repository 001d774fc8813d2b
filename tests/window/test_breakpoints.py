"""Where a request is cached, and what of it is the caller's."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.window.strategies import anthropic_conversations
from tests.window.talk import (
    Message,
    agent,
    assistant,
    chat,
    listed,
    prepare,
    prepare_all,
    requests_of,
    tool_round,
    user,
    window_of,
    words,
)
from token_tracking.window.building import lifetimes
from token_tracking.window.laws import validate
from token_tracking.window.policies.clear import ClearToolResults
from token_tracking.window.prepared import Prepared
from token_tracking.window.prompt_cache import LOOKBACK_BLOCKS, Breakpoint

FIVE = {"type": "ephemeral"}
HOUR = {"type": "ephemeral", "ttl": "1h"}
TOOLS = [{"name": "look", "input_schema": {"type": "object"}}]


def text(content: str, control: Message | None = None) -> Message:
    return {"type": "text", "text": content} | ({"cache_control": control} if control else {})


def found(prepared: Prepared) -> list[Breakpoint]:
    """The breakpoints as they stand in the request, by the blocks before them."""
    blocks = [(1, block) for block in listed(prepared.system)]
    contents = [message["content"] for message in prepared.messages]
    sent = [block for each in contents for block in (listed(each) or [text(each)])]
    blocks += enumerate(sent, 2)
    return [
        Breakpoint(place, block["cache_control"].get("ttl", "5m"))
        for place, block in blocks
        if "cache_control" in block
    ]


async def test_a_request_is_cached_at_its_end_and_behind_the_system_prompt():
    prepared = await window_of(()).prepare("be brief", chat(2))
    assert prepared.system == [text("be brief", FIVE)]
    assert prepared.messages[-1]["content"] == [text(words(100, "q1_"), FIVE)]
    assert prepared.breakpoints == (Breakpoint(1), Breakpoint(4))
    assert found(prepared) == list(prepared.breakpoints)


async def test_the_lifetime_is_the_windows():
    prepared = await window_of((), caching="1h").prepare("be brief", chat(1))
    assert prepared.system == [text("be brief", HOUR)]
    assert prepared.breakpoints == (Breakpoint(1, "1h"), Breakpoint(2, "1h"))


async def test_without_caching_nothing_is_marked():
    prepared = await window_of((), caching=None).prepare("be brief", chat(2))
    assert (prepared.system, prepared.messages) == ("be brief", chat(2))
    assert prepared.breakpoints == ()


async def test_openais_form_has_no_breakpoints():
    prepared = await window_of((), form="openai").prepare("be brief", chat(2))
    assert prepared.messages == [{"role": "system", "content": "be brief"}, *chat(2)]
    assert prepared.breakpoints == ()


async def test_the_callers_messages_are_not_marked():
    messages, system = agent(3), [text("be brief")]
    copies = agent(3)
    prepared = await window_of(()).prepare(system, messages)
    assert (messages, system) == (copies, [text("be brief")])
    assert len(found(prepared)) == 2


async def test_after_a_long_answer_the_end_of_the_last_request_is_marked_too():
    messages: list[Message] = [user("the task")]
    window = window_of(())
    await prepare(window, messages)
    calls = [part for number in range(12) for part in tool_round(number, 5)]
    for role, half in (("assistant", calls[0::2]), ("user", calls[1::2])):
        messages.append({"role": role, "content": [each["content"][0] for each in half]})
    prepared = await prepare(window, messages)
    assert LOOKBACK_BLOCKS < 24
    assert prepared.breakpoints == (Breakpoint(1), Breakpoint(2), Breakpoint(26))
    assert found(prepared) == list(prepared.breakpoints)


async def test_a_short_step_needs_no_mark_at_the_end_of_the_last_request():
    prepared = (await prepare_all(window_of(()), agent(4)))[-1]
    assert prepared.breakpoints == (Breakpoint(1), Breakpoint(10))


async def test_documents_that_leave_are_behind_a_breakpoint():
    prepared = await window_of(()).prepare(None, chat(2), documents=["a page of facts"])
    assert Breakpoint(3) in prepared.breakpoints
    assert found(prepared) == list(prepared.breakpoints)


async def test_no_breakpoint_stands_on_thinking():
    thinking = {"type": "thinking", "thinking": "hm", "signature": "s"}
    messages = [user("q"), {"role": "assistant", "content": [text("a"), thinking]}, user("r")]
    window = window_of(ClearToolResults(keep=9))
    prepared = await window.prepare(None, messages, documents=["a page"])
    assert prepared.messages[1]["content"] == [text("a", FIVE), thinking]
    assert validate(prepared.messages, original=messages) is None


async def test_the_callers_breakpoints_stay_and_ours_fill_up_to_four():
    messages = chat(4)
    for number in (0, 2, 4):
        messages[number] = {"role": "user", "content": [text(words(9), FIVE)]}
    prepared = await window_of(()).prepare("be brief", messages)
    assert [each.blocks for each in prepared.breakpoints] == [2, 4, 6, 8]
    assert prepared.system == "be brief"
    assert found(prepared) == list(prepared.breakpoints)


async def test_the_callers_four_breakpoints_leave_no_room_for_ours():
    messages = chat(4)
    for number in (0, 2, 4):
        messages[number] = {"role": "user", "content": [text(words(9), FIVE)]}
    tools = [{**TOOLS[0], "cache_control": FIVE}]
    prepared = await window_of(()).prepare("be brief", messages, tools)
    assert found(prepared) == [Breakpoint(2), Breakpoint(4), Breakpoint(6)]
    assert prepared.tools == tools


async def test_a_system_prompt_that_is_marked_is_left_and_told_of():
    system = [text("be brief", HOUR)]
    prepared = await window_of(()).prepare(system, chat(1))
    assert prepared.system == system
    assert prepared.breakpoints == (Breakpoint(1, "1h"), Breakpoint(2, "5m"))


async def test_tools_that_are_marked_are_told_of_where_no_system_prompt_follows():
    tools = [{**TOOLS[0], "cache_control": FIVE}]
    alone = await window_of(()).prepare(None, chat(1), tools)
    assert alone.breakpoints == (Breakpoint(1), Breakpoint(2))
    followed = await window_of(()).prepare("be brief", chat(1), tools)
    assert followed.breakpoints == (Breakpoint(1), Breakpoint(2))
    assert followed.system == [text("be brief", FIVE)]


@pytest.mark.parametrize("caching", ["5m", "1h"])
@pytest.mark.parametrize("control", [FIVE, HOUR])
@pytest.mark.parametrize("place", ["tools", "system", "first", "last"])
async def test_a_longer_lifetime_never_follows_a_shorter_one(
    caching: Any, control: Message, place: str
):
    messages = [user("one"), assistant("two"), user("three")]
    for name, number in (("first", 0), ("last", 2)):
        if place == name:
            messages[number] = {"role": "user", "content": [text("marked", control)]}
    system = [text("be brief", control if place == "system" else None)]
    tools = [TOOLS[0] | ({"cache_control": control} if place == "tools" else {})]
    prepared = await window_of((), caching=caching).prepare(system, messages, tools)
    blocks = [*prepared.tools, *prepared.system]
    blocks += [block for message in prepared.messages for block in listed(message["content"])]
    controls = [block["cache_control"] for block in blocks if "cache_control" in block]
    lifetimes = [each.get("ttl", "5m") for each in controls]
    assert lifetimes == sorted(lifetimes)
    assert len(lifetimes) >= 2


async def test_breakpoints_within_a_result_count():
    messages = agent(3)
    for number in (2, 4):
        parts = [text("one", FIVE), text("two", FIVE)]
        messages[number]["content"][0]["content"] = parts
    prepared = await window_of(()).prepare("be brief", messages)
    assert validate(prepared.messages) is None
    assert prepared.system == "be brief"


async def test_a_caller_who_moves_its_breakpoint_each_time_changes_nothing():
    """The request is read up to where the last one ended, as it is without the mark."""
    marked, plain = window_of(()), window_of(())
    for messages in requests_of(chat(5, 800)):
        last = {"role": "user", "content": [text(messages[-1]["content"], FIVE)]}
        one = await prepare(marked, [*messages[:-1], last])
        other = await prepare(plain, messages)
        assert one.messages == other.messages
        assert one.costs == other.costs
        assert one.breakpoints == other.breakpoints


@settings(deadline=None, max_examples=30)
@given(st.data(), st.sampled_from(["5m", "1h"]))
async def test_with_any_breakpoints_of_the_caller_the_request_is_valid(
    data: st.DataObject, caching: Any
):
    messages = data.draw(anthropic_conversations())
    window = window_of(ClearToolResults(keep=1, is_gated=False), caching=caching)
    prepared = await window.prepare("be brief", messages, TOOLS, ["a page"])
    elsewhere = sum("cache_control" in block for block in listed(prepared.system))
    broken = validate(prepared.messages, original=messages, breakpoints_elsewhere=elsewhere)
    assert broken is None


async def test_breakpoints_within_three_results_leave_room_for_one():
    messages = agent(3)
    for number in (2, 4, 6):
        messages[number]["content"][0]["content"] = [text("found", FIVE)]
    prepared = await window_of(()).prepare("be brief", messages)
    assert validate(prepared.messages) is None
    assert (
        str(prepared.messages).count("cache_control") + str(prepared.system).count("cache_control")
        == 4
    )
    assert [each.blocks for each in prepared.breakpoints] == [1, 4, 6, 8]


@pytest.mark.parametrize("kind", [list, tuple])
async def test_breakpoints_of_tools_in_a_tuple_count_as_in_a_list(kind: Any):
    tools = [{"name": f"t{number}", "input_schema": {}, "cache_control": FIVE} for number in "abc"]
    prepared = await window_of(()).prepare("sys", [user("hello")], kind(tools))
    sent = [prepared.system, prepared.tools, prepared.messages]
    assert str(sent).count("cache_control") == 4
    assert prepared.breakpoints == (Breakpoint(2),)


@pytest.mark.parametrize("kind", [list, tuple])
async def test_a_system_prompt_in_a_tuple_is_marked_as_in_a_list(kind: Any):
    plain = await window_of(()).prepare(kind([text("one"), text("two")]), [user("hello")])
    assert plain.system == [text("one"), text("two", FIVE)]
    marked = await window_of(()).prepare(kind([text("one", FIVE), text("two")]), [user("hello")])
    assert list(marked.system) == [text("one", FIVE), text("two")]
    assert marked.breakpoints == (Breakpoint(2),)


def test_a_mark_that_is_none_is_left_to_the_api() -> None:
    assert lifetimes({"type": "text", "text": "x", "cache_control": "x"}) == ["5m"]
