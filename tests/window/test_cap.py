"""`CapToolResults`: large results are cut when they enter, and nothing else is touched."""

from typing import Any

import pytest

from tests.window.strategies import PNG
from tests.window.talk import (
    Message,
    agent,
    assistant,
    json_of,
    listed,
    prepare,
    requests_of,
    tool_round,
    user,
    window_of,
    words,
)
from token_tracking.window.content_store import MemoryContentStore
from token_tracking.window.policies.cap import CapToolResults

IMAGE: Message = {
    "type": "image",
    "source": {"type": "base64", "media_type": "image/png", "data": PNG},
}


def capping(tokens: int = 300, **options: Any) -> CapToolResults:
    return CapToolResults(max_tokens=tokens, **options)


def last(messages: list[Message]) -> Any:
    return messages[-1]["content"][-1]["content"]


@pytest.mark.parametrize(("size", "is_cut"), [(300, False), (301, True), (5_000, True)])
async def test_a_result_above_the_cap_is_cut_and_one_at_it_is_not(size: int, is_cut: bool):
    prepared = await prepare(window_of(capping()), agent(1, size))
    text = last(prepared.messages)
    assert (text != words(size, "found")) == is_cut
    assert len(text.split()) <= 300
    assert bool(prepared.actions) == is_cut


async def test_the_head_and_the_tail_stay_and_a_note_says_what_is_gone():
    prepared = await prepare(window_of(capping()), agent(1, 5_000))
    text = last(prepared.messages)
    assert text.startswith("found0 found1 ")
    assert text.endswith("found4998 found4999")
    assert "tokens left out" in text
    (action,) = prepared.actions
    assert action.policy == "cap_tool_results"
    assert action.tokens >= 4_700


async def test_what_matches_the_question_can_be_kept_instead():
    lines = [f"line {number} says nothing" for number in range(1_000)]
    lines[500] = "line 500 says that invoice 4711 was paid"
    messages = [user("was invoice 4711 paid?"), *tool_round(0, 1)]
    messages[-1]["content"][0]["content"] = "\n".join(lines)
    prepared = await prepare(window_of(capping(200, keep="matching")), messages)
    text = last(prepared.messages)
    assert "invoice 4711 was paid" in text
    assert len(text.split()) <= 200


async def test_the_rest_can_be_fetched_from_the_store():
    store = MemoryContentStore()
    prepared = await prepare(window_of(capping(store=store)), agent(1, 5_000))
    handle = last(prepared.messages).split("handle=")[1].split(",")[0]
    kept = store.get(handle)
    assert kept is not None
    assert kept.text == words(5_000, "found")


async def test_only_text_is_cut_and_images_stay():
    messages = agent(1, 1)
    parts = [{"type": "text", "text": words(1_000)}, IMAGE]
    messages[-1]["content"][0]["content"] = parts
    prepared = await prepare(window_of(capping(400)), messages)
    text, image = last(prepared.messages)
    assert image == IMAGE
    assert len(text["text"].split()) <= 400
    alone = await prepare(window_of(()), messages)
    assert alone.tokens.total - prepared.tokens.total == prepared.actions[0].tokens
    small = agent(1, 1)
    small[-1]["content"][0]["content"] = [{"type": "text", "text": words(10)}, IMAGE, IMAGE]
    assert (await prepare(window_of(capping(11)), small)).actions == ()


async def test_base64_within_text_is_text_and_is_cut():
    messages = agent(1, 1)
    messages[-1]["content"][0]["content"] = f"data:image/png;base64,{PNG} " * 500
    prepared = await prepare(window_of(capping()), messages)
    assert len(last(prepared.messages).split()) <= 300


async def test_what_was_cut_is_the_same_bytes_in_all_later_requests():
    window = window_of(capping())
    before: list[str] = []
    for messages in requests_of(agent(6, 1_000)):
        prepared = await prepare(window, messages)
        texts = json_of(prepared.messages)
        assert texts[: len(before)] == before
        assert sum(action.is_done for action in prepared.actions) == (len(before) > 0)
        before = texts


async def test_what_was_sent_whole_is_not_cut_later():
    messages = agent(1, 250)
    window = window_of(capping())
    await prepare(window, messages)
    grown = [*messages, assistant("done"), user("and now?")]
    assert (await prepare(window, grown)).messages[2] == messages[2]


async def test_excluded_tools_and_the_providers_results_stay():
    options = capping(exclude_tools=frozenset({"look"}))
    assert (await prepare(window_of(options), agent(1, 5_000))).actions == ()
    search: Message = {"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {}}
    page = {"type": "web_search_result", "url": "https://example.org", "title": words(500)}
    found = {"type": "web_search_tool_result", "tool_use_id": "srv_1", "content": [page]}
    messages = [user("go"), {"role": "assistant", "content": [search, found]}, user("go on")]
    prepared = await prepare(window_of(capping()), messages)
    assert prepared.messages[1] == messages[1]
    assert prepared.tokens.total > 500


async def test_a_moved_breakpoint_does_not_stay_with_a_result_that_was_cut():
    """The caller moves its breakpoint to the last message each time."""
    window = window_of(capping())
    messages: list[Message] = []
    for message in agent(8, 1_000):
        messages.append(message)
        if message["role"] == "assistant":
            continue
        message["content"] = listed(message["content"]) or [{"type": "text", "text": "go"}]
        for block in (block for other in messages for block in other["content"]):
            block.pop("cache_control", None)
        message["content"][-1]["cache_control"] = {"type": "ephemeral"}
        prepared = await prepare(window, messages)
        marked = [
            number
            for number, sent in enumerate(prepared.messages)
            if any("cache_control" in block for block in sent["content"])
        ]
        assert marked == [len(messages) - 1]


async def test_openais_results_are_cut_as_well():
    call = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    messages: list[Message] = [
        user("go"),
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": words(1_000)},
    ]
    prepared = await window_of(capping(), form="openai").prepare(None, messages)
    cut = prepared.messages[-1]
    assert (cut["role"], cut["tool_call_id"]) == ("tool", "c1")
    assert len(cut["content"].split()) <= 300
