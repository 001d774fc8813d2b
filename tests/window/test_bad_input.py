"""What a window does with input that is not as it should be: a clear error, or no harm."""

import copy
from typing import Any

import pytest
from anthropic.types import Message as Answer
from anthropic.types import TextBlock, Usage

from tests.window.talk import (
    MODEL,
    Message,
    agent,
    assistant,
    chat,
    json_of,
    prepare,
    requests_of,
    said,
    tool_round,
    user,
    window_of,
    words,
)
from token_tracking.window.budget import Budget
from token_tracking.window.errors import DoesNotFitError, InvalidConversationError
from token_tracking.window.policies.cap import CapToolResults
from token_tracking.window.policies.clear import ClearToolResults
from token_tracking.window.policies.emergency import Emergency
from token_tracking.window.policies.sliding import SlidingWindow
from token_tracking.window.window import ContextWindow

CALL: Message = {"type": "tool_use", "id": "t1", "name": "look", "input": {}}
RESULT: Message = {"type": "tool_result", "tool_use_id": "t1", "content": "found"}


def bare(*contents: Any) -> list[Message]:
    """Messages of the user and the assistant in turn."""
    roles = ("user", "assistant")
    return [{"role": roles[n % 2], "content": content} for n, content in enumerate(contents)]


WITHOUT_ID = {name: value for name, value in RESULT.items() if name != "tool_use_id"}
FAULTS: dict[str, tuple[Any, str]] = {
    "an empty history": ([], "no messages"),
    "text for a list": ("hello", "no list"),
    "a list for a message": ([["hello"]], "message 0"),
    "a list for a role": ([{"role": ["user"], "content": "x"}], "message 0 has a role"),
    "no role": ([{"content": "x"}], "message 0 has no role"),
    "a list for a text": (bare([{"type": "text", "text": ["x"]}]), "text is a list"),
    "a list for a block": (bare([["x"]]), "place 0 of its content"),
    "a number for content": (bare(5), "message 0 has content"),
    "nothing said": (bare(""), "content_not_empty"),
    "a blank text": (bare([{"type": "text", "text": " "}]), "text_not_blank"),
    "an answer first": ([assistant("x")], "starts_with_user"),
    "a result without an id": (bare("q", [CALL], [WITHOUT_ID]), "Message 2 .*tool_use_id"),
    "a result without a call": (bare("q", "a", [RESULT]), "Message 2 .*results_have_calls"),
    "a call without a result": (bare("q", [CALL], "r"), "Message 1 .*calls_have_results"),
    "two results of one call": (bare("q", [CALL], [RESULT, RESULT]), "Message 2 .*t1"),
    "one id for two calls": (bare("q", [CALL, CALL], [RESULT]), "Message 1.*t1"),
    "an id that was used": (bare("q", [CALL], [RESULT], [CALL], [RESULT]), "Message 3.*t1"),
}


@pytest.mark.parametrize(("messages", "says"), FAULTS.values(), ids=FAULTS)
async def test_a_fault_is_named_with_its_message(messages: Any, says: str):
    with pytest.raises(InvalidConversationError, match=says):
        await ContextWindow(MODEL, form="anthropic").prepare(None, messages)


async def test_none_is_no_list():
    none: Any = None
    with pytest.raises(InvalidConversationError, match="no list"):
        await window_of(()).prepare(None, none)


@pytest.mark.parametrize(("messages", "says"), FAULTS.values(), ids=FAULTS)
async def test_after_a_fault_the_window_goes_on_with_what_is_valid(messages: Any, says: str):
    window, other = (window_of(ClearToolResults(keep=1, is_gated=False)) for _ in range(2))
    talk = agent(4)
    first = await prepare(window, talk)
    assert first.messages == (await prepare(other, talk)).messages
    with pytest.raises(InvalidConversationError, match=says):
        await window.prepare("be brief", messages)
    grown = [*talk, *tool_round(4, 200)]
    assert json_of((await prepare(window, grown)).messages) == json_of(
        (await prepare(other, grown)).messages
    )


async def test_a_fault_in_what_is_new_is_named_by_its_place_in_the_whole():
    window = window_of(())
    await prepare(window, agent(4))
    with pytest.raises(InvalidConversationError, match=r"Message 10 .*content_not_empty"):
        await window.prepare("be brief", [*agent(4), assistant("done"), user("")])


async def test_what_is_no_json_is_named():
    with pytest.raises(InvalidConversationError, match="message 0: object is no JSON value"):
        await window_of(()).prepare(None, [user("x") | {"content": [{"type": object()}]}])
    loop: list[Any] = []
    loop.append({"type": "hologram", "inner": loop})
    with pytest.raises(InvalidConversationError, match="nested too deeply"):
        await window_of(()).prepare(None, [{"role": "user", "content": loop}])


@pytest.mark.parametrize(
    "policy", [(), Emergency(), CapToolResults(), ClearToolResults(), SlidingWindow(), None]
)
async def test_a_lone_message_that_is_too_large_is_an_error_that_says_so(policy: Any):
    window = window_of(policy, context=1_000)
    with pytest.raises(DoesNotFitError, match=r"1,503 of|1,503 tokens"):
        await window.prepare(None, [user(words(1_500))])
    assert (await prepare(window, [user(words(500))])).tokens.total <= 1_000


@pytest.mark.parametrize("policy", [(), Emergency(), ClearToolResults(), SlidingWindow(), None])
async def test_a_system_prompt_that_is_too_large_is_an_error_that_says_so(policy: Any):
    window = window_of(policy, context=1_000)
    with pytest.raises(DoesNotFitError, match="system prompt and the tools alone have 1,200"):
        await window.prepare(words(1_200), [user("hi")])
    assert (await prepare(window, [user("hi")])).tokens.total <= 1_000


async def test_a_system_prompt_larger_than_the_models_window_is_an_error():
    with pytest.raises(DoesNotFitError, match="system prompt and the tools alone"):
        await window_of(None, window=4_000).prepare(words(5_000), [user("hi")])


async def test_a_budget_that_cannot_be_met_is_an_error_and_changes_nothing():
    window, other = (window_of([SlidingWindow(), Emergency()], context=400) for _ in range(2))
    talk = chat(3, 50)
    await prepare(window, talk)
    await prepare(other, talk)
    huge = [*talk, assistant("fine"), user(words(1_000))]
    with pytest.raises(DoesNotFitError):
        await window.prepare("be brief", huge)
    small = [*talk, assistant("fine"), user("short")]
    assert json_of((await prepare(window, small)).messages) == json_of(
        (await prepare(other, small)).messages
    )


@pytest.mark.parametrize("form", ["anthropic", "openai"])
async def test_a_block_that_nobody_knows_is_passed_on_and_counted(form: Any):
    block = {"type": "hologram", "payload": {"label": words(300)}}
    messages = [{"role": "user", "content": [block, {"type": "text", "text": "what is it?"}]}]
    prepared = await window_of(Emergency(), form=form).prepare(None, messages)
    assert prepared.messages[0]["content"][0] == block
    assert prepared.tokens.total >= 300


async def test_an_image_is_a_flat_cost_and_base64_within_text_is_not():
    data = "iVBORw0KGgo " * 2_000
    source = {"type": "base64", "media_type": "image/png", "data": data}
    image = [{"type": "image", "source": source}]
    flat = await window_of(()).prepare(None, bare(image))
    assert flat.tokens.user < 2_000
    spelled = await window_of(()).prepare(None, bare(data))
    assert spelled.tokens.user == 2_003


async def test_a_conversation_that_was_truncated_is_taken_as_it_is():
    window = window_of(ClearToolResults(keep=1, is_gated=False))
    await prepare(window, agent(6))
    prepared = await prepare(window, agent(2))
    assert json_of(prepared.messages)[0] == json_of(agent(2))[0]
    assert len(prepared.messages) == 5
    assert json_of((await prepare(window, agent(6))).messages) == json_of(
        (await prepare(window_of(ClearToolResults(keep=1, is_gated=False)), agent(6))).messages
    )


async def test_after_a_step_back_the_last_result_is_whole_again():
    window = window_of(ClearToolResults(keep=1, is_gated=False))
    await prepare(window, agent(6))
    assert said(await prepare(window, agent(2)), words(200, "found"))


async def test_after_a_step_back_what_is_to_be_answered_is_there_again():
    window = window_of(Emergency(), context=900)
    await prepare(window, agent(40, 60))
    await prepare(window, agent(3, 60))


async def test_a_message_that_was_changed_in_place_is_sent_as_it_is_now():
    window = window_of(ClearToolResults(keep=1, is_gated=False))
    messages = agent(3)
    await prepare(window, messages)
    messages[0]["content"] = "another task"
    messages[6]["content"][0]["content"] = "found after all"
    prepared = await prepare(window, messages)
    assert prepared.messages[0]["content"] in (
        "another task",
        [{"type": "text", "text": "another task", "cache_control": {"type": "ephemeral"}}],
    )
    assert prepared.messages[6]["content"][0]["content"] == "found after all"
    assert "cleared" in prepared.messages[2]["content"][0]["content"]


async def test_a_cleared_result_that_was_changed_is_the_new_one():
    window = window_of(ClearToolResults(keep=1, is_gated=False))
    messages = agent(4)
    await prepare(window, messages)
    messages[2]["content"][0]["content"] = "short now"
    prepared = await prepare(window, messages)
    assert prepared.messages[2]["content"][0]["content"] == "short now"
    assert "cleared" in prepared.messages[4]["content"][0]["content"]


async def test_a_branch_keeps_what_was_cleared_before_it():
    window = window_of(ClearToolResults(keep=1, is_gated=False))
    first = await prepare(window, agent(5))
    branch = [*agent(3), assistant("no, stop"), user("why?")]
    prepared = await prepare(window, branch)
    assert json_of(prepared.messages)[:5] == json_of(first.messages)[:5]
    assert prepared.messages[-1]["content"][0]["text"] == "why?"


async def test_what_is_read_after_a_change_ends_before_it():
    window = window_of(())
    messages = chat(4, 1_000)
    await prepare(window, messages)
    changed = copy.deepcopy(messages)
    changed[2]["content"] = "something else"
    prepared = await prepare(window, changed)
    assert prepared.costs.cache.read == 0
    assert prepared.costs.cache.prompt_tokens == prepared.tokens.total


@pytest.mark.parametrize("system", ["be brief", None])
@pytest.mark.parametrize("form", ["anthropic", "openai"])
async def test_a_caller_may_go_on_from_the_messages_it_got_back(form: Any, system: Any):
    window, other = (
        window_of(ClearToolResults(keep=1, is_gated=False), form=form) for _ in range(2)
    )
    talk = agent(6) if form == "anthropic" else openai_agent(6)
    requests = requests_of(talk)
    held: list[Message] = []
    for messages, before in zip(requests, [[], *requests], strict=False):
        held = held + messages[len(before) :]
        mine = await window.prepare(system, held)
        theirs = await other.prepare(system, messages)
        assert mine.messages == theirs.messages
        assert mine.costs == theirs.costs
        held = mine.messages


async def test_a_caller_may_append_to_the_messages_it_got_back():
    window = window_of(ClearToolResults(keep=1, is_gated=False))
    held = (await prepare(window, agent(3))).messages
    held += [assistant("done"), user("and now?")]
    prepared = await window.prepare("be brief", held)
    assert len(prepared.messages) == 9
    assert said(prepared, "and now?")


async def test_sdk_objects_and_dicts_are_the_same_conversation():
    window = window_of(())
    answer = Answer(
        id="m",
        type="message",
        role="assistant",
        model="claude-opus-4-8",
        content=[TextBlock(type="text", text="hello", citations=None)],
        stop_reason="end_turn",
        stop_sequence=None,
        usage=Usage(input_tokens=1, output_tokens=1),
    )
    messages: list[Any] = [user("hi"), answer, user("and?")]
    prepared = await window.prepare(None, messages)
    assert prepared.messages[1]["content"] == [{"type": "text", "text": "hello"}]
    same = await window.prepare(None, [*bare("hi", answer.content, "and?")])
    assert same.messages == prepared.messages
    assert same.costs.cache.write_5m == 0


async def test_messages_in_another_form_are_named():
    window = ContextWindow(MODEL, form="anthropic")
    with pytest.raises(InvalidConversationError, match="role 'tool' is unknown"):
        await window.prepare(None, [user("x"), {"role": "tool", "content": "y"}])


async def test_the_small_preset_holds_a_long_chat():
    window = window_of(None)
    small = ContextWindow(MODEL, Budget.small())
    for messages in requests_of(chat(30, 200)):
        await prepare(window, messages)
        prepared = await small.prepare("be brief", messages)
        assert prepared.tokens.total <= 6_000
        assert prepared.max_tokens == 1_000


def openai_agent(rounds: int) -> list[Message]:
    messages = [user("the task")]
    for number in range(rounds):
        function = {"name": "look", "arguments": "{}"}
        call = {"id": f"c{number}", "type": "function", "function": function}
        messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
        content = words(200, "found")
        messages.append({"role": "tool", "tool_call_id": f"c{number}", "content": content})
    return messages
