"""`ClearToolResults`: what is cleared, when, and that it stays cleared."""

from typing import Any

import pytest

from tests.window.talk import (
    Clock,
    Message,
    agent,
    assistant,
    json_of,
    prepare,
    prepare_all,
    said,
    tool_round,
    user,
    window_of,
    words,
)
from token_tracking.window.content_store import MemoryContentStore
from token_tracking.window.policies.clear import ClearToolResults
from token_tracking.window.policies.emergency import Emergency
from token_tracking.window.prepared import Prepared
from token_tracking.window.prompt_cache import FIVE_MINUTES_MS


def clearing(**options: Any) -> ClearToolResults:
    """It clears as soon as it can."""
    return ClearToolResults(is_gated=False, **options)


def results(prepared: Prepared) -> list[str]:
    found: list[str] = []
    for message in prepared.messages:
        content: list[Any] = message["content"]
        found += [block["content"] for block in content if "tool_use_id" in block]
    return found


def whole(prepared: Prepared) -> list[bool]:
    """Of each result, whether it is what it was."""
    return [result.startswith("found0") for result in results(prepared)]


@pytest.mark.parametrize(("keep", "kept"), [(0, 1), (1, 1), (2, 2), (4, 4), (9, 5)])
async def test_the_last_rounds_are_kept_and_all_before_them_cleared(keep: int, kept: int):
    prepared = await prepare(window_of(clearing(keep=keep)), agent(5))
    assert whole(prepared) == [number >= 5 - kept for number in range(5)]


async def test_an_answer_without_calls_is_a_round_too():
    messages = [*agent(3), assistant("done"), user("and now?")]
    assert whole(await prepare(window_of(clearing(keep=2)), messages)) == [False, False, True]


async def test_the_results_of_parallel_calls_stand_or_fall_together():
    first, second = tool_round(1, 200), tool_round(2, 200)
    parallel = [
        {"role": role, "content": [*one["content"], *two["content"]]}
        for role, one, two in zip(("assistant", "user"), first, second, strict=True)
    ]
    messages = [user("the task"), *parallel, *tool_round(3, 200), *tool_round(4, 200)]
    prepared = await prepare(window_of(clearing(keep=2)), messages)
    assert whole(prepared) == [False, False, True, True]


async def test_a_placeholder_says_what_was_there_and_how_large():
    call = {"type": "tool_use", "id": "t1", "name": "Read", "input": {"file_path": "/src/app.py"}}
    result = {"type": "tool_result", "tool_use_id": "t1", "content": words(2_000)}
    messages = [
        user("the task"),
        {"role": "assistant", "content": [call]},
        {"role": "user", "content": [result]},
        *tool_round(2, 10),
    ]
    prepared = await prepare(window_of(clearing(keep=1, keep_used=False)), messages)
    text = results(prepared)[0]
    assert "Read(/src/app.py)" in text
    assert "about 2000 tokens" in text
    assert "call it again" in text


async def test_what_is_cleared_goes_to_the_store():
    store = MemoryContentStore()
    prepared = await prepare(window_of(clearing(keep=1, store=store)), agent(2))
    text = results(prepared)[0]
    handle = text.split("handle=")[1].split("]")[0].split()[0]
    kept = store.get(handle)
    assert kept is not None
    assert kept.text == words(200, "found")


async def test_errors_and_ids_and_breakpoints_stay_with_a_cleared_result():
    messages = agent(3)
    block = messages[2]["content"][0]
    block |= {"is_error": True, "cache_control": {"type": "ephemeral"}}
    prepared = await prepare(window_of(clearing(keep=1)), messages)
    cleared = prepared.messages[2]["content"][0]
    assert cleared["content"] != block["content"]
    assert cleared | {"content": ""} == block | {"content": ""}


async def test_excluded_tools_and_small_results_stay():
    prepared = await prepare(
        window_of(clearing(keep=1, exclude_tools=frozenset({"look"}))), agent(4)
    )
    assert all(whole(prepared))
    assert all(whole(await prepare(window_of(clearing(keep=1)), agent(4, 99))))
    assert whole(await prepare(window_of(clearing(keep=1)), agent(2, 100))) == [False, True]


async def test_what_is_still_in_use_stays():
    messages = agent(6)
    messages[2]["content"][0]["content"] = f"handle_request {words(200)}"
    messages[9]["content"].insert(0, {"type": "text", "text": "I change handle_request"})
    kept = await prepare(window_of(clearing(keep=2)), messages)
    assert said(kept, "handle_request word0")
    assert not said(await prepare(window_of(clearing(keep=1)), messages), "handle_request word0")
    unused = clearing(keep=2, keep_used=False)
    assert not said(await prepare(window_of(unused), messages), "handle_request word0")


async def test_long_arguments_of_old_calls_are_cleared():
    messages = agent(3)
    messages[1]["content"][0]["input"] = {"path": "a.py", "content": words(300)}
    prepared = await prepare(window_of(clearing(keep=1)), messages)
    given = prepared.messages[1]["content"][0]["input"]
    assert given["path"] == "a.py"
    assert given["content"].startswith("[content of this finished call cleared")
    kept = await prepare(window_of(clearing(keep=1, inputs=False)), messages)
    assert kept.messages[1] == messages[1]


async def test_a_result_of_the_providers_own_tools_is_left_as_it_is():
    search: Message = {"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {}}
    page = {"type": "web_search_result", "url": "https://example.org", "title": words(500)}
    found = {"type": "web_search_tool_result", "tool_use_id": "srv_1", "content": [page]}
    answer: Message = {"role": "assistant", "content": [search, found]}
    messages = [user("the task"), answer, user("go on"), *tool_round(1, 10), *tool_round(2, 10)]
    alone = await prepare(window_of(()), messages)
    prepared = await prepare(window_of(clearing(keep=1)), messages)
    assert prepared.messages[1] == messages[1]
    assert prepared.tokens.total == alone.tokens.total
    assert prepared.actions == ()


async def test_what_was_cleared_is_the_same_bytes_in_all_later_requests():
    window = window_of(clearing(keep=2))
    sent: dict[int, str] = {}
    for prepared in await prepare_all(window, agent(12)):
        texts = json_of(prepared.messages)
        for number, text in sent.items():
            assert texts[number] == text
        sent |= {n: text for n, text in enumerate(texts) if "cleared to save context" in text}
    assert len(sent) == 10


async def test_gated_it_waits_and_then_clears_in_batches():
    window = window_of(ClearToolResults(keep=2), context=1_000_000, window=2_000_000)
    batches: list[int] = []
    before: list[str] = []
    for prepared in await prepare_all(window, agent(60, 1_000)):
        texts = json_of(prepared.messages)
        if texts[: len(before)] != before:
            batches.append(sum(action.tokens for action in prepared.actions if action.is_done))
        before = texts
    assert 0 < len(batches) <= 20
    assert sum(batches) / len(batches) > 2_500


async def test_gated_it_says_why_it_waits():
    window = window_of(ClearToolResults(keep=3))
    prepared = (await prepare_all(window, agent(4, 1_500)))[-1]
    (action,) = prepared.actions
    assert not action.is_done
    assert action.policy == "clear_tool_results"
    assert "would not pay" in action.why
    assert all(whole(prepared))


async def test_a_lapsed_cache_clears_at_once():
    clock = Clock()
    window = window_of(ClearToolResults(keep=3), clock=clock)
    prepared = (await prepare_all(window, agent(4, 1_500)))[-1]
    assert all(whole(prepared))
    clock.now += FIVE_MINUTES_MS / 1000 + 1
    prepared = await prepare(window, [*agent(4, 1_500), *tool_round(4, 200)])
    assert whole(prepared) == [False] * 2 + [True] * 3
    assert [action.why for action in prepared.actions] == ["nothing of it is cached"]


async def test_over_its_budget_it_clears_though_it_does_not_pay():
    window = window_of(ClearToolResults(keep=1), context=1_400)
    found = await prepare_all(window, agent(8))
    assert max(prepared.tokens.total for prepared in found) <= 1_400
    assert not all(whole(found[-1]))


async def test_what_does_not_fit_is_cleared_before_the_emergency():
    window = window_of([ClearToolResults(keep=1), Emergency()], context=1_400)
    for prepared in await prepare_all(window, agent(8)):
        assert all(action.policy != "emergency" for action in prepared.actions)


async def test_a_breakpoint_stands_before_what_may_be_cleared_next():
    control = {"type": "ephemeral"}
    kept = await prepare(window_of(ClearToolResults(keep=9)), agent(4))
    assert kept.messages[0]["content"][0]["cache_control"] == control
    cleared = await prepare(window_of(clearing(keep=2)), agent(4))
    assert cleared.messages[0]["content"] == "the task"
    assert cleared.messages[4]["content"][0]["cache_control"] == control


async def test_one_policy_serves_many_conversations():
    policy = clearing(keep=1)
    first, second = window_of(policy), window_of(policy)
    await prepare(first, agent(5))
    assert whole(await prepare(second, agent(3))) == [False, False, True]
    assert whole(await prepare(first, agent(6))) == [False] * 5 + [True]
