"""Models whose thinking may not stand behind an edit: what of it is left out, and when."""

from typing import Any

import pytest

from tests.window.talk import Message, listed, tool_round, user, word_counter, words
from token_tracking.window.binding import binds_thinking
from token_tracking.window.budget import Budget
from token_tracking.window.errors import DoesNotFitError
from token_tracking.window.laws import validate
from token_tracking.window.policies.clear import ClearToolResults
from token_tracking.window.policies.emergency import Emergency
from token_tracking.window.prepared import Prepared
from token_tracking.window.window import ContextWindow

BOUND, FREE = "claude-opus-5-5", "claude-opus-5"


def thought(number: int) -> Message:
    return {"type": "thinking", "thinking": f"I think {number}", "signature": f"s{number}"}


def thinking_agent(rounds: int, size: int = 300) -> list[Message]:
    messages = [user("the task")]
    for number in range(rounds):
        answer, result = tool_round(number, size)
        answer["content"].insert(0, thought(number))
        messages += [answer, result]
    return messages


def window(policy: Any, model: str = BOUND, **budget: Any) -> ContextWindow:
    return ContextWindow(model, Budget(**budget), policy, counter=word_counter())


def clearing() -> ClearToolResults:
    return ClearToolResults(keep=1, is_gated=False)


def thoughts(prepared: Prepared) -> list[str]:
    blocks = [block for message in prepared.messages for block in listed(message["content"])]
    return [block["signature"] for block in blocks if block["type"] == "thinking"]


@pytest.mark.parametrize(
    ("model", "is_bound"),
    [
        ("claude-fable-5-1", True),
        ("claude-fable-5-2", True),
        ("claude-mythos-5-1", True),
        ("claude-opus-5-5", True),
        ("us.anthropic.claude-sonnet-5-5-v1:0", True),
        ("claude-haiku-5-5", True),
        ("claude-opus-6", True),
        ("claude-fable-5", False),
        ("claude-mythos-preview", False),
        ("claude-opus-5", False),
        ("claude-opus-4-20250514", False),
        ("claude-haiku-4-5-20251001", False),
        ("gpt-5.5", False),
    ],
)
def test_a_model_binds_its_thinking_or_does_not(model: str, is_bound: bool):
    assert binds_thinking(model) is is_bound


async def test_without_an_edit_all_thinking_stays():
    kept = window(())
    for rounds in (1, 2, 3):
        prepared = await kept.prepare("sys", thinking_agent(rounds))
        assert thoughts(prepared) == [f"s{number}" for number in range(rounds)]


async def test_the_newest_answers_thinking_goes_too_when_something_before_it_is_edited():
    edited = window(clearing())
    await edited.prepare("sys", thinking_agent(1))
    prepared = await edited.prepare("sys", thinking_agent(2))
    assert "cleared to save context" in str(prepared.messages)
    assert thoughts(prepared) == ["s0"]  # it stands before the result that was cleared


@pytest.mark.parametrize(
    ("system", "tools"), [("other", None), ("sys", [{"name": "new", "description": "a tool"}])]
)
async def test_when_the_system_prompt_or_the_tools_change_all_thinking_goes_but_what_comes_later(
    system: str, tools: Any
):
    changed = window(())
    await changed.prepare("sys", thinking_agent(2))
    assert thoughts(await changed.prepare(system, thinking_agent(3), tools)) == []
    assert thoughts(await changed.prepare(system, thinking_agent(4), tools)) == ["s3"]


async def test_all_thinking_behind_documents_that_leave_goes():
    with_documents = window(())
    await with_documents.prepare("sys", thinking_agent(1), documents=["a document"])
    answer = {"role": "assistant", "content": [thought(7), {"type": "text", "text": "done"}]}
    messages = [*thinking_agent(1), answer, user("next")]
    prepared = await with_documents.prepare("sys", messages)
    assert "a document" not in str(prepared.messages)
    assert thoughts(prepared) == []


async def test_when_turns_are_left_out_all_thinking_behind_them_goes():
    tight = window(Emergency(), max_context_tokens=900)
    messages = [user(words(150, "q_"))]
    await tight.prepare("sys", messages)
    for number in range(3):
        blocks = [thought(number), {"type": "text", "text": words(150, f"a{number}_")}]
        messages += [{"role": "assistant", "content": blocks}, user(words(150, f"q{number}_"))]
        if number < 2:
            await tight.prepare("sys", messages)
    prepared = await tight.prepare("sys", messages)
    assert len(prepared.messages) < len(messages)
    assert thoughts(prepared) == []


async def test_a_conversation_that_is_taken_over_loses_the_thinking_behind_what_is_cleared():
    prepared = await window(clearing()).prepare("sys", thinking_agent(4))
    assert thoughts(prepared) == ["s0"]


async def test_an_answer_of_thinking_alone_goes_with_its_thinking():
    edited = window(())
    alone: Message = {"role": "assistant", "content": [thought(1)]}
    await edited.prepare("sys", [user("the task")])
    prepared = await edited.prepare("other", [user("the task"), alone, user("go on")])
    assert [message["role"] for message in prepared.messages] == ["user", "user"]


async def test_what_is_sent_without_thinking_is_valid_for_the_model():
    edited = window(clearing())
    for rounds in (1, 2, 3, 4):
        messages = thinking_agent(rounds)
        prepared = await edited.prepare("sys", messages)
        assert validate(prepared.messages, original=messages, model=BOUND) is None


async def test_other_models_keep_their_thinking_behind_edits():
    edited = window(clearing(), FREE)
    for rounds in (1, 2, 3):
        prepared = await edited.prepare("sys", thinking_agent(rounds))
        assert thoughts(prepared) == [f"s{number}" for number in range(rounds)]


async def test_thinking_behind_what_the_caller_itself_has_changed_goes():
    kept = window(())
    await kept.prepare("sys", thinking_agent(3))
    messages = thinking_agent(4)
    messages[4]["content"][0]["content"] = "shortened"  # the result behind the second thought
    assert thoughts(await kept.prepare("sys", messages)) == ["s0", "s1"]


async def test_a_request_that_failed_does_not_cost_the_newest_thinking():
    kept = window((), max_context_tokens=2_000)
    await kept.prepare("sys", thinking_agent(1))
    with pytest.raises(DoesNotFitError):
        await kept.prepare("sys", [*thinking_agent(2), user(words(5_000))])
    prepared = await kept.prepare("sys", [*thinking_agent(2), user("go on")])
    assert thoughts(prepared) == ["s0", "s1"]
