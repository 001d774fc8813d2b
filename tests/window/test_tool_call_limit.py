"""`ToolCallLimit`: each refused call gets exactly one error result."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from anthropic.types import Message as AnthropicMessage
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.window.strategies import anthropic_conversations, openai_conversations
from token_tracking.window.errors import InvalidBudgetError, InvalidConversationError
from token_tracking.window.forms import form_of
from token_tracking.window.laws import validate
from token_tracking.window.policies.tool_call_limit import ToolCallLimit, refusal
from token_tracking.window.prepared import Prepared
from token_tracking.window.window import ContextWindow

Message = dict[str, Any]


def window(per_turn: int = 3) -> ContextWindow:
    return ContextWindow("claude-sonnet-4-5", None, ToolCallLimit(per_turn=per_turn), caching=None)


def said(content: str = "go") -> Message:
    return {"role": "user", "content": content}


def calls(*numbers: int) -> Message:
    made = [{"type": "tool_use", "id": f"t{n}", "name": "read", "input": {"n": n}} for n in numbers]
    return {"role": "assistant", "content": made}


def results(*numbers: int) -> Message:
    made = [{"type": "tool_result", "tool_use_id": f"t{n}", "content": f"r{n}"} for n in numbers]
    return {"role": "user", "content": made}


def openai_calls(*numbers: int) -> Message:
    made = [
        {"id": f"t{n}", "type": "function", "function": {"name": "read", "arguments": "{}"}}
        for n in numbers
    ]
    return {"role": "assistant", "content": None, "tool_calls": made}


def openai_results(*numbers: int) -> list[Message]:
    return [{"role": "tool", "tool_call_id": f"t{n}", "content": f"r{n}"} for n in numbers]


def error(number: int, per_turn: int = 3) -> Message:
    text = refusal(per_turn)
    return {"type": "tool_result", "tool_use_id": f"t{number}", "content": text, "is_error": True}


def ids(made: list[Any]) -> list[str]:
    return [each["id"] for each in made]


async def test_a_refused_call_gets_one_error_beside_the_other_results():
    messages = [said(), calls(1, 2, 3, 4, 5), results(1, 2, 3)]
    prepared = await window().prepare(None, messages)
    assert prepared.messages[2]["content"] == [*results(1, 2, 3)["content"], error(4), error(5)]
    assert prepared.messages[:2] == messages[:2]
    assert validate(prepared.messages, original=messages) is None


async def test_the_error_names_the_limit():
    prepared = await window(1).prepare(None, [said(), calls(1, 2), results(1)])
    told = prepared.messages[2]["content"][1]["content"]
    assert told.startswith("Refused: at most 1 tool calls a turn")


async def test_the_limit_counts_all_answers_of_a_turn():
    messages = [said(), calls(1, 2), results(1, 2), calls(3, 4), results(3)]
    prepared = await window().prepare(None, messages)
    assert prepared.messages[-1]["content"] == [*results(3)["content"], error(4)]


async def test_the_next_turn_begins_anew():
    messages = [said(), calls(1, 2, 3), results(1, 2, 3), {"role": "assistant", "content": "done"}]
    messages += [said("more"), calls(4, 5, 6), results(4, 5, 6)]
    prepared = await window().prepare(None, messages)
    assert prepared.messages == messages
    assert prepared.actions == ()


async def test_an_answer_of_refused_calls_only_is_answered_though_nothing_follows():
    messages = [said(), calls(1, 2, 3), results(1, 2, 3), calls(4, 5)]
    prepared = await window().prepare(None, messages)
    assert prepared.messages[-1] == {"role": "user", "content": [error(4), error(5)]}
    assert validate(prepared.messages) is None


async def test_calls_that_the_loop_has_still_to_run_are_not_answered_for_it():
    messages = [said(), calls(1, 2, 3, 4)]
    prepared = await window().prepare(None, messages)
    assert prepared.messages == messages


async def test_an_open_call_within_the_limit_is_an_error_that_names_it():
    with pytest.raises(InvalidConversationError, match="the call t2 of read, has no result"):
        await window().prepare(None, [said(), calls(1, 2, 3, 4), results(1, 3)])


async def test_a_call_beyond_the_limit_that_was_answered_keeps_its_result():
    messages = [said(), calls(1, 2, 3, 4), results(1, 2, 3, 4)]
    prepared = await window().prepare(None, messages)
    assert prepared.messages == messages


async def test_the_errors_stand_once_over_many_requests():
    limited, messages = window(), [said(), calls(1, 2, 3, 4), results(1, 2, 3)]
    before = await limited.prepare(None, messages)
    for number in range(10, 15):
        messages = [*messages, calls(number)]
        prepared = await limited.prepare(None, messages)
        assert prepared.messages[: len(before.messages)] == before.messages
        assert validate(prepared.messages) is None
        assert len(prepared.actions) == 1
        before = prepared
    assert errors_of(before) == ["t4", "t10", "t11", "t12", "t13", "t14"]


async def test_the_same_request_again_is_the_same():
    limited, messages = window(), [said(), calls(1, 2, 3, 4), results(1, 2, 3)]
    first = await limited.prepare(None, messages)
    again = await limited.prepare(None, messages)
    assert again.messages == first.messages
    assert again.actions == ()


async def test_who_goes_on_from_what_was_handed_back_gets_no_second_error():
    limited = window()
    messages: list[Any] = [said(), calls(1, 2, 3, 4), results(1, 2, 3)]
    for number in range(5, 9):
        prepared = await limited.prepare(None, messages)
        messages = [*prepared.messages, calls(number)]
    prepared = await limited.prepare(None, messages)
    assert errors_of(prepared) == ["t4", "t5", "t6", "t7", "t8"]
    assert validate(prepared.messages) is None


async def test_a_new_window_takes_the_errors_of_an_old_one_for_results():
    messages = [said(), calls(1, 2, 3, 4), results(1, 2, 3)]
    handed = await window().prepare(None, messages)
    prepared = await window().prepare(None, handed.messages)
    assert prepared.messages == handed.messages


async def test_errors_stay_when_the_conversation_is_changed_behind_them():
    limited, messages = window(), [said(), calls(1, 2, 3, 4), results(1, 2, 3)]
    first = await limited.prepare(None, [*messages, {"role": "assistant", "content": "a"}, said()])
    second = await limited.prepare(None, [*messages, {"role": "assistant", "content": "b"}, said()])
    assert second.messages[:3] == first.messages[:3]
    third = await limited.prepare(None, messages)
    assert errors_of(third) == ["t4"]


async def test_openai_gets_its_errors_behind_the_calls():
    limited, messages = window(), [said(), openai_calls(1, 2, 3, 4), *openai_results(1, 2, 3)]
    prepared = await limited.prepare(None, messages)
    told = {"role": "tool", "tool_call_id": "t4", "content": refusal(3)}
    assert prepared.messages == [*messages[:2], told, *messages[2:]]
    assert validate(prepared.messages, original=messages) is None
    messages += [{"role": "assistant", "content": "done"}, said("thanks")]
    prepared = await limited.prepare(None, messages)
    assert prepared.messages == [*messages[:2], told, *messages[2:]]
    prepared = await limited.prepare(
        None, [*prepared.messages, openai_calls(5), *openai_results(5)]
    )
    assert prepared.messages[2] == told
    assert validate(prepared.messages) is None


async def test_the_older_calls_of_openai_have_no_ids():
    call = {"name": "read", "arguments": "{}"}
    made = {"role": "assistant", "content": None, "function_call": call}
    prepared = await window(0).prepare(None, [said(), made, said("well?")])
    assert prepared.messages[2] == {"role": "function", "name": "read", "content": refusal(0)}


async def test_calls_that_the_provider_runs_do_not_count():
    search: Message = {
        "type": "server_tool_use",
        "id": "srvtoolu_1",
        "name": "web_search",
        "input": {},
    }
    found: Message = {
        "type": "web_search_tool_result",
        "tool_use_id": "srvtoolu_1",
        "content": [],
    }
    answer: Message = {"role": "assistant", "content": [search, found, *calls(1, 2, 3)["content"]]}
    messages = [said(), answer, results(1, 2, 3)]
    prepared = await window().prepare(None, messages)
    assert prepared.messages == messages
    allowed, refused = ToolCallLimit().split(answer, [said()])
    assert (ids(allowed), refused) == (["t1", "t2", "t3"], [])


def test_split_counts_the_calls_of_this_turn():
    limit = ToolCallLimit(per_turn=3)
    before = [said(), calls(7, 8, 9), results(7, 8, 9), said("more"), calls(1, 2), results(1, 2)]
    allowed, refused = limit.split(calls(3, 4), before)
    assert (ids(allowed), ids(refused)) == (["t3"], ["t4"])


def test_split_takes_the_answer_at_the_end_of_the_messages_as_well():
    before = [said(), calls(1, 2), results(1, 2), calls(3, 4)]
    allowed, refused = ToolCallLimit().split(calls(3, 4), before)
    assert (ids(allowed), ids(refused)) == (["t3"], ["t4"])


def test_split_hands_back_the_callers_own_objects():
    content = [{"type": "text", "text": "I read"}, *calls(1, 2)["content"]]
    answer = AnthropicMessage.model_validate(
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "claude-sonnet-4-5",
            "content": content,
            "usage": {"input_tokens": 1, "output_tokens": 1},
        }
    )
    allowed, refused = ToolCallLimit(per_turn=1).split(answer, [said()])
    assert allowed == [answer.content[1]]
    assert refused == [answer.content[2]]


def test_split_takes_openais_form():
    before = [said(), openai_calls(1, 2), *openai_results(1, 2)]
    answer = openai_calls(3, 4)
    allowed, refused = ToolCallLimit().split(answer, before)
    assert allowed == answer["tool_calls"][:1]
    assert refused == answer["tool_calls"][1:]


def test_split_takes_the_older_call_of_openai():
    call = {"name": "read", "arguments": "{}"}
    answer = {"role": "assistant", "content": None, "function_call": call}
    assert ToolCallLimit().split(answer, [said()]) == ([call], [])


def test_an_answer_without_calls_has_nothing_to_split():
    assert ToolCallLimit().split({"role": "assistant", "content": "done"}, [said()]) == ([], [])


@pytest.mark.parametrize("per_turn", [-1, True, "3", 1.5, None])
def test_a_limit_that_is_no_number_of_calls_is_refused(per_turn: Any):
    with pytest.raises(InvalidBudgetError, match="per_turn"):
        ToolCallLimit(per_turn=per_turn)


def errors_of(prepared: Prepared) -> list[str]:
    return [
        block["tool_use_id"]
        for message in prepared.messages
        for block in blocks_of(message)
        if block.get("is_error")
    ]


def blocks_of(message: Message) -> list[Message]:
    content = message["content"]
    return cast("list[Message]", content) if isinstance(content, list) else []


def obedient(messages: list[Message], limit: ToolCallLimit) -> list[Message]:
    """What a loop makes of a conversation that runs only the calls which it may run."""
    run: list[Message] = []
    refused: set[str] = set()
    for message in messages:
        if message["role"] == "assistant":
            refused = {call["id"] for call in limit.split(message, run)[1]}
            run.append(message)
        elif message["role"] == "tool":
            run += [message] * (message["tool_call_id"] not in refused)
        else:
            kept = [raw for raw in blocks_of(message) if raw.get("tool_use_id") not in refused]
            is_text = isinstance(message["content"], str)
            run += [message] if is_text else [{**message, "content": kept}] * bool(kept)
    return run


@pytest.mark.parametrize("form", ["anthropic", "openai"])
@given(data=st.data(), per_turn=st.integers(0, 4))
@settings(deadline=None, max_examples=25)
async def test_what_an_obedient_loop_leaves_open_is_closed_exactly_once(
    form: str, data: st.DataObject, per_turn: int
):
    drawn = anthropic_conversations() if form == "anthropic" else openai_conversations()
    messages = data.draw(drawn)
    limit = ToolCallLimit(per_turn=per_turn)
    run = obedient(messages, limit)
    limited = ContextWindow("claude-sonnet-4-5", None, limit, caching=None, form=form)  # pyright: ignore[reportArgumentType]
    for _ in range(2):
        prepared = await limited.prepare(None, run)
        assert validate(prepared.messages, form=form_of(messages)) is None


def test_a_stand_in_of_an_sdk_is_no_message():
    with pytest.raises(ValueError, match="message 1"):
        ToolCallLimit().split(SimpleNamespace(content=[], tool_calls=[1]), [said()])
