"""`Emergency`: the request fits, or an error says why not."""

import re
import time
from contextlib import suppress
from typing import Any, Literal, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.window.strategies import anthropic_conversations, openai_conversations
from token_tracking.window.budget import Budget
from token_tracking.window.content_store import MemoryContentStore
from token_tracking.window.errors import DoesNotFitError
from token_tracking.window.laws import validate
from token_tracking.window.policies.emergency import AIM, Emergency
from token_tracking.window.policies.tool_call_limit import ToolCallLimit
from token_tracking.window.prepared import Prepared
from token_tracking.window.window import ContextWindow

Message = dict[str, Any]
WORDS = "the invoice was paid in March and nobody knows by whom "


def window(tokens: int, policy: Emergency | None = None, **more: Any) -> ContextWindow:
    budget = Budget(max_context_tokens=tokens, max_output_tokens=1000)
    return ContextWindow("claude-sonnet-4-5", budget, policy or Emergency(), caching=None, **more)


def text(tokens: int, seed: int = 0) -> str:
    """About as many tokens, by this model's estimate."""
    return f"Note {seed}. " + WORDS * (tokens // 12)


def said(content: str) -> Message:
    return {"role": "user", "content": content}


def answered(content: str) -> Message:
    return {"role": "assistant", "content": content}


def called(number: int, result: str, **more: str) -> list[Message]:
    """An answer that thinks and calls, and its result."""
    thinking = {"type": "thinking", "thinking": f"I look at {number}", "signature": f"s{number}"}
    call = {"type": "tool_use", "id": f"toolu_{number}", "name": "read", "input": {"n": 1, **more}}
    answer = {"type": "tool_result", "tool_use_id": f"toolu_{number}", "content": result}
    return [
        {"role": "assistant", "content": [thinking, call]},
        {"role": "user", "content": [answer]},
    ]


def result_of(prepared: Prepared, number: int) -> str:
    for message in prepared.messages:
        for block in cast("list[Message | str]", message["content"]):
            if isinstance(block, dict) and block.get("tool_use_id") == f"toolu_{number}":
                return block["content"]
    raise LookupError(number)


async def prepared_of(messages: list[Message], tokens: int) -> Prepared:
    prepared = await window(tokens).prepare(None, messages)
    assert prepared.tokens.total <= tokens
    assert validate(prepared.messages, original=messages) is None
    return prepared


async def test_what_fits_is_left_alone():
    messages = [said("read it"), *called(1, text(500))]
    prepared = await prepared_of(messages, 5_000)
    assert prepared.messages == messages
    assert prepared.actions == ()


async def test_old_results_are_cleared_first_and_only_as_many_as_needed():
    messages = [said("read them")]
    for number in range(4):
        messages += called(number, text(1_000, number))
    prepared = await prepared_of(messages, 3_500)
    assert [result_of(prepared, n).startswith("[Result of read") for n in range(4)] == [
        True,
        True,
        False,
        False,
    ]
    assert len(prepared.messages) == len(messages)


async def test_long_arguments_of_old_calls_are_cleared():
    messages = [said("write"), *called(1, "ok", text=text(2_000)), *called(2, "ok")]
    prepared = await prepared_of(messages, 1_000)
    arguments = prepared.messages[1]["content"][1]["input"]
    assert arguments["n"] == 1
    assert "cleared later" in arguments["text"]


async def test_what_is_taken_out_can_be_fetched_from_a_store():
    store = MemoryContentStore()
    messages = [said("read"), *called(1, text(2_000)), *called(2, text(2_000, 2))]
    prepared = await window(1_200, Emergency(store=store)).prepare(None, messages)
    for number, original in ((1, text(2_000)), (2, text(2_000, 2))):
        found = re.search(r"handle=([\w-]+)", result_of(prepared, number))
        assert found is not None
        kept = store.get(found[1])
        assert kept is not None
        assert kept.text == original


async def test_the_results_of_the_last_round_stay_while_anything_else_can_go():
    messages = [said("read"), *called(1, text(1_000)), answered("done"), said("again")]
    messages += called(2, text(1_000))
    prepared = await prepared_of(messages, 1_500)
    assert result_of(prepared, 2) == text(1_000)


async def test_the_oldest_turns_go_next_and_the_task_stays():
    messages = [said("the task"), answered(text(400))]
    for number in range(5):
        messages += [said(f"question {number}"), answered(text(400, number))]
    messages += [said("and now?")]
    prepared = await prepared_of(messages, 1_500)
    assert prepared.messages[0] == said("the task")
    assert prepared.messages[-1] == said("and now?")
    assert said("question 0") not in prepared.messages
    assert said("question 4") in prepared.messages
    assert len(prepared.messages) % 2 == 0  # the task, then whole turns, then the question


async def test_the_oldest_rounds_of_the_last_turn_go_whole_and_thinking_stays_intact():
    messages = [said("work")]
    for number in range(40):
        messages += called(number, "short")
    prepared = await prepared_of(messages, 700)
    assert prepared.messages[0] == messages[0]
    kept = prepared.messages[1:]
    assert 0 < len(kept) < 80
    assert kept == messages[-len(kept) :]


async def test_a_round_in_which_the_user_speaks_stays():
    messages = [said("work")]
    for number in range(40):
        messages += called(number, "short")
    messages[20]["content"].append({"type": "text", "text": "use the new file"})
    prepared = await prepared_of(messages, 700)
    assert messages[19] in prepared.messages
    assert messages[20] in prepared.messages


async def test_results_of_the_last_round_are_cut_to_head_and_tail():
    messages = [said("read"), *called(1, "first line\n" + text(5_000) + "\nlast line")]
    prepared = await prepared_of(messages, 2_000)
    result = result_of(prepared, 1)
    assert result.startswith("first line")
    assert result.endswith("last line")
    assert "tokens left out" in result


async def test_a_result_that_could_never_fit_does_not_drive_out_all_turns():
    messages = [said("the task"), answered(text(100))]
    for number in range(5):
        messages += [said(f"question {number}"), answered(text(100, number))]
    messages += [said("read"), *called(1, text(20_000))]
    prepared = await prepared_of(messages, 2_000)
    assert [said(f"question {n}") in prepared.messages for n in range(5)] == [True] * 5
    assert len(result_of(prepared, 1)) > len(text(700))


async def test_small_results_of_the_last_round_stay_whole():
    calls: list[Message] = [
        {"type": "tool_use", "id": f"toolu_{n}", "name": "read", "input": {}} for n in (1, 2)
    ]
    results: list[Message] = [
        {"type": "tool_result", "tool_use_id": "toolu_1", "content": "all is well"},
        {"type": "tool_result", "tool_use_id": "toolu_2", "content": text(5_000)},
    ]
    messages: list[Message] = [said("read"), {"role": "assistant", "content": calls}]
    messages.append({"role": "user", "content": results})
    prepared = await prepared_of(messages, 2_000)
    assert result_of(prepared, 1) == "all is well"
    assert len(result_of(prepared, 2)) < len(text(5_000))


async def test_a_lone_oversized_message_is_named_with_its_size_and_what_to_do():
    with pytest.raises(DoesNotFitError, match=r"Message 0 \(user\).* 5,\d+ .*shorten or split it"):
        await window(2_000).prepare(None, [said(text(5_000))])


async def test_a_system_prompt_that_is_too_large_is_named():
    with pytest.raises(DoesNotFitError, match="system prompt and the tools alone have 5,"):
        await window(2_000).prepare(text(5_000), [said("hello")])


async def test_documents_go_before_the_request_is_given_up():
    budgeted = window(2_000)
    messages = [said("a"), answered("b"), said("read")]
    first = await budgeted.prepare(None, messages, documents=[text(400)])
    assert first.tokens.documents > 300
    messages += called(1, "x", **{f"part{n}": "word " * 100 for n in range(16)})
    prepared = await budgeted.prepare(None, messages)
    assert prepared.tokens.documents == 0
    assert prepared.messages == [messages[0], *messages[2:]]
    assert prepared.actions[-1].what == "left the documents out"


async def test_it_comes_down_below_the_budget_so_that_it_does_not_act_each_time():
    messages = [said("the task"), answered("yes")]
    budgeted, acted = window(10_000), 0
    for number in range(60):
        messages += [said(f"question {number}")]
        prepared = await budgeted.prepare(None, messages)
        assert validate(prepared.messages, original=messages) is None
        if prepared.actions:
            acted += 1
            assert prepared.tokens.total <= AIM * 10_000
        messages += [answered(text(300, number))]
    assert 0 < acted <= 12


async def test_what_was_left_out_stays_out_with_the_same_bytes():
    messages = [said("read them")]
    for number in range(4):
        messages += called(number, text(1_000, number))
    budgeted = window(3_500)
    first = await budgeted.prepare(None, messages)
    messages += [answered("done"), said("thanks")]
    second = await budgeted.prepare(None, messages)
    assert second.messages[: len(first.messages)] == first.messages
    assert second.actions == ()


async def test_who_goes_on_from_what_was_handed_back_keeps_the_task_and_the_rest():
    messages = [said("the task"), answered(text(400))]
    budgeted = window(1_500)
    for number in range(8):
        prepared = await budgeted.prepare(None, [*messages, said(f"question {number}")])
        assert prepared.messages[0] == said("the task")
        assert prepared.messages[-1] == said(f"question {number}")
        assert prepared.tokens.total <= 1_500
        assert validate(prepared.messages) is None
        messages = [*prepared.messages, answered(text(300, number))]


async def test_refused_calls_go_with_their_round():
    limit = ToolCallLimit(per_turn=1)
    both = ContextWindow(
        "claude-sonnet-4-5", Budget(max_context_tokens=600), (limit, Emergency()), caching=None
    )
    messages = [said("work")]
    for number in range(30):
        thinking, call = called(number, "short")[0]["content"]
        twin = {**call, "id": f"twin_{number}"}
        messages.append({"role": "assistant", "content": [thinking, call, twin]})
        messages += called(number, "short")[1:]
        prepared = await both.prepare(None, messages)
        assert prepared.tokens.total <= 600
        assert validate(prepared.messages) is None
    assert len(prepared.messages) < len(messages)  # pyright: ignore[reportPossiblyUnboundVariable]


async def test_it_acts_on_the_error_of_estimates_where_the_window_is_near():
    """Nothing was billed so far: the whole estimate may be wrong, by 8.4% for this model."""
    messages = [said("read them")]
    for number in range(9):
        messages += called(number, text(1_000, number))
    budget = Budget(max_output_tokens=1)
    near = ContextWindow("claude-sonnet-4-5", budget, Emergency(), window=10_000, caching=None)
    prepared = await near.prepare(None, messages)
    assert prepared.tokens.total <= 10_000 / 1.084
    assert prepared.actions


async def test_what_was_billed_is_not_in_doubt():
    messages = [said("read them")]
    for number in range(8):
        messages += called(number, text(1_000, number))
    budget = Budget(max_output_tokens=1)
    near = ContextWindow("claude-sonnet-4-5", budget, Emergency(), window=10_000, caching=None)
    await near.prepare(None, messages)
    near.observe({"usage": {"input_tokens": 9_300, "output_tokens": 10}})
    messages += called(9, "short")
    prepared = await near.prepare(None, messages)
    assert prepared.actions == ()


async def test_a_call_of_the_providers_tools_is_not_parted_from_its_result():
    search: Message = {
        "type": "server_tool_use",
        "id": "srvtoolu_1",
        "name": "web_search",
        "input": {},
    }
    found: Message = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}
    messages = [said("work"), *called(0, "short"), *called(1, "short"), *called(2, "short")]
    messages[1]["content"].insert(1, search)
    messages[3]["content"].insert(0, found)
    for number in range(3, 30):
        messages += called(number, "short")
    for tokens in range(150, 1_200, 50):
        await prepared_of(messages, tokens)


def requests(messages: list[Message]) -> list[list[Message]]:
    """What an agent would have sent, request by request."""
    fronts = [messages[: end + 1] for end in range(len(messages))]
    return [each for each in fronts if each[-1]["role"] != "assistant" and not validate(each)]


@pytest.mark.parametrize("form", ["anthropic", "openai"])
@given(data=st.data(), tokens=st.integers(60, 3_000))
@settings(deadline=None, max_examples=25)
async def test_every_request_stays_valid_and_fits_or_an_error_says_why(
    form: Literal["anthropic", "openai"], data: st.DataObject, tokens: int
):
    drawn = anthropic_conversations() if form == "anthropic" else openai_conversations()
    budgeted = window(tokens, form=form)
    for messages in requests(data.draw(drawn)):
        with suppress(DoesNotFitError):
            prepared = await budgeted.prepare(None, messages)
            assert prepared.tokens.total <= tokens
            assert validate(prepared.messages, original=messages) is None


def long_conversation(rounds: int) -> list[Message]:
    """Four blocks a round, and twelve rounds a turn."""
    messages: list[Message] = []
    for number in range(rounds):
        if number % 12 == 0:
            messages += [answered("done")] * bool(messages)
            messages.append(said(f"question {number}"))
        thinking, call = called(number, "")[0]["content"]
        messages.append({"role": "assistant", "content": [thinking, call]})
        result = {"type": "tool_result", "tool_use_id": call["id"], "content": text(300, number)}
        messages.append({"role": "user", "content": [result, {"type": "text", "text": "go on"}]})
    return messages


async def test_ten_thousand_blocks_take_linear_time():
    async def seconds(rounds: int) -> float:
        messages = long_conversation(rounds)
        budgeted = window(10_000_000, window=20_000_000)
        await budgeted.prepare(None, messages)  # counts
        draft = budgeted._preparing._draft(0)  # pyright: ignore[reportPrivateUsage, reportOptionalMemberAccess]
        draft.room = type(draft.room)(200_000, 50_000, 1, None)
        started = time.perf_counter()
        await Emergency().shape(draft)
        assert draft.excess <= 0
        return time.perf_counter() - started

    await seconds(100)
    small, large = await seconds(625), await seconds(2_500)
    assert large < 10 * small + 0.05
    assert large < 0.5  # 16 ms; clearing 2,300 results instead takes 50 ms
