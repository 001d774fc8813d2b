"""The window as a whole: the laws with all its policies at work, its counts, and what it learns."""

import asyncio
import threading
from itertools import pairwise
from typing import Any

import pytest

from tests.window.strategies import PNG
from tests.window.talk import (
    MODEL,
    Message,
    agent,
    assistant,
    chat,
    json_of,
    listed,
    prepare,
    prepare_all,
    requests_of,
    said,
    tool_round,
    user,
    window_of,
    words,
)
from token_tracking.counting import TokenCount, TokenCounter
from token_tracking.window.content_store import MemoryContentStore
from token_tracking.window.laws import validate
from token_tracking.window.laws.tools import TOOL_LAWS
from token_tracking.window.policies.cap import CapToolResults
from token_tracking.window.policies.clear import ClearToolResults
from token_tracking.window.policies.emergency import Emergency
from token_tracking.window.policies.policy import Policy
from token_tracking.window.policies.reset import AutoReset
from token_tracking.window.policies.sliding import SlidingWindow
from token_tracking.window.policies.summarize import Summarize
from token_tracking.window.prepared import Prepared
from token_tracking.window.prompt_cache import CacheUse
from token_tracking.window.summaries import SummaryRequest
from token_tracking.window.window import ContextWindow

FIVE = {"type": "ephemeral"}
IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}


def all_of_them() -> list[Policy]:
    return [
        CapToolResults(max_tokens=150),
        ClearToolResults(keep=2, is_gated=False),
        SlidingWindow(max_tokens=700),
        Emergency(),
    ]


def thoughtful(number: int, size: int = 200) -> list[Message]:
    """A thought and two calls at once, with their results."""
    thinking = {"type": "thinking", "thinking": f"I think {number}", "signature": f"s{number}"}
    calls = [
        {"type": "tool_use", "id": f"t{number}{side}", "name": "look", "input": {"side": side}}
        for side in "ab"
    ]
    results = [
        {"type": "tool_result", "tool_use_id": call["id"], "content": words(size, "found")}
        for call in calls
    ]
    return [
        {"role": "assistant", "content": [thinking, *calls]},
        {"role": "user", "content": results},
    ]


def long_talk(turns: int = 6) -> list[Message]:
    messages: list[Message] = []
    for turn in range(turns):
        messages.append(user(f"question {turn}"))
        for step in range(3):
            messages += thoughtful(10 * turn + step)
        messages.append(assistant(words(40, f"answer{turn}_")))
    return messages[:-1]


async def sent(messages: list[Message], context: int = 1_500) -> list[tuple[int, Prepared]]:
    """What is sent at each request, with the number of messages it had."""
    window = window_of(all_of_them(), context=context)
    found: list[tuple[int, Prepared]] = []
    for request in requests_of(messages):
        prepared = await prepare(window, request)
        assert prepared.tokens.total <= context
        found.append((len(request), prepared))
    assert any(action.is_done for _, prepared in found for action in prepared.actions)
    return found


def blocks(prepared: Prepared, kind: str) -> list[Message]:
    contents = [message["content"] for message in prepared.messages]
    return [block for content in contents for block in listed(content) if block["type"] == kind]


async def test_each_tool_use_has_its_tool_result_and_the_reverse():
    for _, prepared in await sent(long_talk()):
        calls = [block["id"] for block in blocks(prepared, "tool_use")]
        assert calls == [block["tool_use_id"] for block in blocks(prepared, "tool_result")]
    assert {"calls_have_results", "results_have_calls"} <= {law.name for law in TOOL_LAWS}


async def test_parallel_results_stand_in_one_message():
    for _, prepared in await sent(long_talk()):
        for message in prepared.messages:
            content = listed(message["content"])
            if any("tool_use_id" in block for block in content):
                assert [block["tool_use_id"][-1] for block in content] == ["a", "b"]


async def test_the_system_prompt_and_the_task_are_kept():
    for _, prepared in await sent(long_talk()):
        assert prepared.system[0]["text"] == "be brief"
        assert "question 0" in json_of(prepared.messages)[0]


async def test_openais_system_message_is_kept():
    messages = [{"role": "system", "content": "be kind"}, *chat(20, 60)]
    window = window_of(all_of_them(), context=900, form="openai")
    prepared = await window.prepare(None, messages)
    assert prepared.messages[0] == messages[0]
    assert prepared.actions != ()


async def test_the_last_user_message_is_kept():
    messages = long_talk()
    for size, prepared in await sent(messages):
        asked = [each["content"] for each in messages[:size] if isinstance(each["content"], str)]
        last = [text for text in asked if text.startswith("question")][-1]
        assert said(prepared, last)


async def test_thinking_is_byte_identical_or_gone_with_its_turn():
    messages = long_talk()
    known = [block for message in messages for block in listed(message["content"])[:1]]
    for size, prepared in await sent(messages):
        assert all(thought in known for thought in blocks(prepared, "thinking"))
        for message in prepared.messages:
            kinds = [block["type"] for block in listed(message["content"])]
            if "tool_use" in kinds:
                assert kinds == ["thinking", "tool_use", "tool_use"]
        assert validate(prepared.messages, original=messages[:size]) is None


async def test_cache_control_is_preserved_in_order_and_at_most_four_times():
    messages = long_talk()
    messages[2]["content"][1]["cache_control"] = {**FIVE, "ttl": "1h"}
    messages[-1]["content"][1]["cache_control"] = FIVE
    for size, prepared in await sent(messages):
        marked = [block for block in prepared.system if "cache_control" in block]
        for message in prepared.messages:
            marked += [each for each in listed(message["content"]) if "cache_control" in each]
        assert len(marked) <= 4
        lifetimes = [block["cache_control"].get("ttl", "5m") for block in marked]
        assert lifetimes == sorted(lifetimes)
        ids = [block.get("tool_use_id") for block in marked]
        for number, tool_id in ((2, "t0b"), (len(messages) - 1, "t52b")):
            if number < size and tool_id in str(prepared.messages):
                assert tool_id in ids


async def test_an_image_is_a_flat_cost_but_base64_inside_text_is_not():
    window = window_of(())
    text = f"look {PNG} " * 100
    alone = await window.prepare(None, [{"role": "user", "content": [IMAGE]}])
    spelled = await window_of(()).prepare(None, [user(text)])
    assert alone.tokens.user - 3 == 1  # one pixel is one patch
    assert spelled.tokens.user - 3 == 200


async def test_a_summary_runs_or_the_history_stays():
    def failing(request: SummaryRequest) -> str:
        raise RuntimeError("no")

    def brief(request: SummaryRequest) -> str:
        return "all is well"

    for summariser, is_whole in ((failing, True), (brief, False)):
        policy = Summarize(summariser, threshold=0.5, keep_turns=1, is_gated=False)
        prepared = await prepare(window_of(policy, context=2_500), chat(10))
        assert said(prepared, words(100, "a3_")) == is_whole
        assert said(prepared, "all is well") != is_whole


async def test_compaction_makes_progress_or_stops_with_an_error():
    def lengthy(request: SummaryRequest) -> str:
        return words(3_000)

    policies = [Summarize(lengthy, threshold=0.5, keep_turns=1), AutoReset(), Emergency()]
    window = window_of(policies, context=1_500)
    for messages in requests_of(chat(30)):
        prepared = await prepare(window, messages)
        assert prepared.tokens.total <= 1_500


async def test_nothing_is_ever_trimmed_to_nothing():
    messages = long_talk()
    for size, prepared in await sent(messages, context=700):
        assert prepared.messages
        for block in blocks(prepared, "tool_result"):
            assert block["content"].strip()
        assert validate(prepared.messages, original=messages[:size]) is None


async def test_what_was_sent_stays_as_it_was_but_for_the_edits():
    before: list[str] = []
    edits = 0
    for _, prepared in await sent(agent(40, 100), context=3_000):
        texts = json_of(prepared.messages)
        same = next((n for n, pair in enumerate(zip(before, texts, strict=False))
                     if pair[0] != pair[1]), len(before))  # fmt: skip
        edits += same < len(before)
        read = prepared.costs.cache.read
        assert read <= prepared.tokens.total
        before = texts
    assert edits < 40


async def test_the_parts_add_up_to_the_whole():
    for _, prepared in await sent(long_talk()):
        parts = prepared.tokens
        assert parts.total == (
            parts.system + parts.tools + parts.history + parts.documents + parts.user
            + parts.overhead
        )  # fmt: skip
        assert parts.total == prepared.costs.cache.prompt_tokens
        assert (parts.method, parts.error_p95) == ("words", 0.0)


async def test_each_part_has_its_own_tokens():
    tools = [{"name": "look", "input_schema": {"type": "object"}}]
    messages = [*chat(2, 50), assistant(words(50)), user(words(20))]
    prepared = await window_of(()).prepare("be brief", messages, tools, [words(30)])
    parts = prepared.tokens
    assert (parts.system, parts.tools, parts.history, parts.user) == (2, 1, 4 * 53, 23)
    assert 30 <= parts.documents <= 60
    assert parts.overhead == 0


def answered(prompt: int, output: int = 5, read: int = 0) -> Message:
    return {
        "input_tokens": prompt - read,
        "cache_read_input_tokens": read,
        "output_tokens": output,
    }


OPENAI = {"prompt_tokens": 900, "completion_tokens": 40}


@pytest.mark.parametrize("response", [answered(900, 40), {"usage": answered(900, 40)}, OPENAI])
async def test_after_a_response_counts_start_from_what_was_billed(response: Any):
    window = window_of(())
    first = await prepare(window, chat(1))
    assert first.tokens.total == 105
    window.observe(response)
    prepared = await prepare(window, [*chat(1), assistant("an answer"), user(words(17))])
    # Billed prompt, billed answer, and what is new; a message has three tokens of its own.
    assert prepared.tokens.total == 900 + (40 + 3) + (17 + 3)
    assert prepared.tokens.overhead == 900 - 105
    assert prepared.tokens.method == "billed, and for what is new words"


async def test_a_response_that_is_observed_twice_counts_once():
    once, twice = window_of(()), window_of(())
    grown = [*chat(1), assistant("an answer"), user("more")]
    await prepare(once, chat(1))
    await prepare(twice, chat(1))
    once.observe(answered(900, 40))
    twice.observe(answered(900, 40))
    twice.observe(answered(900, 40))
    assert (await prepare(once, grown)).tokens == (await prepare(twice, grown)).tokens


@pytest.mark.parametrize("response", [None, {}, {"usage": None}, object(), {"usage": {}}])
async def test_a_response_without_usage_changes_nothing(response: Any):
    window, other = window_of(()), window_of(())
    window.observe(answered(900))  # nothing was sent yet
    await prepare(window, chat(1))
    await prepare(other, chat(1))
    window.observe(response)
    grown = [*chat(1), assistant("an answer"), user("more")]
    assert (await prepare(window, grown)).tokens == (await prepare(other, grown)).tokens


async def test_after_an_edit_the_billed_sum_is_less_what_was_taken_out():
    window = window_of(ClearToolResults(keep=1, is_gated=False))
    first = await prepare(window, agent(1))
    window.observe(answered(2 * first.tokens.total, 30))
    prepared = await prepare(window, agent(2))
    taken = sum(action.tokens for action in prepared.actions)
    assert taken > 100
    # What was billed beyond the count may be what we are not shown: it stays.
    assert prepared.tokens.total == 2 * first.tokens.total - taken + (30 + 3) + (200 + 3)


async def test_after_an_edit_what_was_counted_too_high_is_not_taken_off_again():
    window = window_of(ClearToolResults(keep=1, is_gated=False))
    first = await prepare(window, agent(1))
    window.observe(answered(first.tokens.total // 2, 30))
    prepared = await prepare(window, agent(2))
    taken = sum(action.tokens for action in prepared.actions)
    half = (first.tokens.total - taken) / 2
    assert prepared.tokens.total == pytest.approx(half + (30 + 3) + (200 + 3), abs=2)


async def test_an_unknown_model_has_no_cost_and_is_served():
    window = ContextWindow("nobody-knows-this-model", policy=all_of_them())
    prepared = await window.prepare("be brief", long_talk())
    assert prepared.costs.now_usd is prepared.costs.alone_expected_usd is None
    assert prepared.costs.cache.prompt_tokens == prepared.tokens.total
    assert prepared.max_tokens > 0
    assert prepared.tokens.error_p95 is None


async def test_the_request_is_what_the_client_takes():
    tools = [{"name": "look", "input_schema": {"type": "object"}}]
    prepared = await window_of(()).prepare("be brief", chat(1), tools)
    assert set(prepared.request()) == {"messages", "system", "tools", "max_tokens"}
    bare = await window_of(()).prepare(None, chat(1))
    assert set(bare.request()) == {"messages", "max_tokens"}


async def test_what_was_read_is_less_where_the_system_prompt_changes_each_time():
    window = window_of(())
    for number, messages in enumerate(requests_of(chat(4, 1_000))):
        prepared = await window.prepare(f"it is {number} o'clock", messages)
        assert prepared.costs.cache.read == 0
        assert prepared.costs.alone_now_usd == prepared.costs.now_usd


async def test_two_requests_at_once_wait_for_one_another():
    window = window_of(ClearToolResults(keep=1, is_gated=False))
    await asyncio.gather(prepare(window, agent(3)), prepare(window, agent(5)))
    prepared = await prepare(window, agent(6))
    assert prepared.costs.cache.prompt_tokens == prepared.tokens.total


class WhereItCounts:
    """A token for each word; it notes in which threads it is asked."""

    def __init__(self) -> None:
        self.threads: set[int] = set()

    def count(self, text: str) -> TokenCount:
        self.threads.add(threading.get_ident())
        return TokenCount(tokens=len(text.split()), method="words", exact=True, error_p95=0.0)


async def test_a_long_conversation_is_taken_in_off_the_event_loop():
    watching, counter = WhereItCounts(), TokenCounter()
    counter.plug_in(watching)
    store = MemoryContentStore()
    policies = [ClearToolResults(is_gated=False, store=store), Emergency(store=store)]
    window = ContextWindow(MODEL, policy=policies, counter=counter)
    prepared = await window.prepare(None, agent(400, 20) + tool_round(400, 20))
    assert prepared.tokens.total > 8_000
    assert watching.threads
    assert threading.get_ident() not in watching.threads


async def test_what_a_request_is_expected_to_read_is_what_the_last_one_wrote():
    found = await prepare_all(window_of(()), agent(5, 1_100))
    uses = [prepared.costs.cache for prepared in found]
    assert uses[0] == CacheUse(0, 0, 0, 7)
    for before, use in pairwise(uses[1:]):
        assert use.read == before.prompt_tokens
        assert use.uncached == 0


async def test_after_an_edit_no_count_and_no_cost_is_below_zero():
    """The estimate was too large: what it was too large by goes with what is taken out."""
    window = window_of(ClearToolResults(keep=10, is_gated=False), window=1_000_000)
    results = [message for number in range(10) for message in tool_round(number, 9_000)]
    first = await prepare(window, [user("the task"), *results])
    window.observe(answered(round(0.85 * first.tokens.total)))
    for number in range(10, 20):
        results += tool_round(number, 10)
        prepared = await prepare(window, [user("the task"), *results])
        parts = prepared.tokens
        shares = [parts.system, parts.tools, parts.history, parts.documents, parts.user]
        assert min(*shares, *prepared.costs.cache) >= 0
        assert sum(shares) + parts.overhead == parts.total > 0
        assert prepared.costs.now_usd is not None
        assert prepared.costs.now_usd > 0
    last = await prepare(window, [user("the task"), *results])
    assert last.tokens.total < 20_000


async def test_what_was_never_counted_stays_when_much_is_taken_out():
    window = window_of(ClearToolResults(keep=1, is_gated=False))
    first = await prepare(window, agent(1))
    window.observe(answered(first.tokens.total + 10_000))
    prepared = await prepare(window, agent(2))
    assert prepared.tokens.overhead == 10_000


async def test_the_error_is_that_of_what_is_not_billed_yet():
    window = ContextWindow("gpt-4o", policy=(), form="anthropic")
    first = await prepare(window, chat(1, 3_000))
    assert first.tokens.error_p95 is not None
    window.observe(answered(first.tokens.total))
    same = await prepare(window, chat(1, 3_000))
    assert same.tokens.error_p95 == 0.0
    grown = await prepare(window, [*chat(1, 3_000), assistant("done"), user(words(1_000))])
    assert grown.tokens.error_p95 is not None
    share = 1 - first.tokens.total / grown.tokens.total
    assert grown.tokens.error_p95 == pytest.approx(share * first.tokens.error_p95, rel=0.01)


async def test_a_system_message_in_front_of_the_first_turn_is_no_history():
    window = window_of((), form="openai")
    messages = [{"role": "system", "content": words(1_000)}, user("hello")]
    prepared = await window.prepare(None, messages)
    parts = prepared.tokens
    assert (parts.system, parts.history, parts.user) == (1_003, 0, 4)


async def test_thinking_that_does_not_come_back_is_not_in_later_prompts():
    window = window_of(())
    await prepare(window, chat(1))
    window.observe(answered(105, 2_000))
    prepared = await prepare(window, [*chat(1), assistant("an answer"), user("more")])
    assert prepared.tokens.total == 105 + (2 + 3) + (1 + 3)


async def test_openais_reasoning_is_not_in_later_prompts():
    window = window_of((), form="openai")
    await window.prepare(None, [user(words(12))])
    details = {"reasoning_tokens": 2_000}
    usage = {"prompt_tokens": 15, "completion_tokens": 2_020, "completion_tokens_details": details}
    window.observe({"usage": usage})
    messages = [user(words(12)), assistant("two words"), user("more")]
    assert (await window.prepare(None, messages)).tokens.total == 15 + (20 + 3) + (1 + 3)


@pytest.mark.parametrize(
    "usage",
    [
        {"input_tokens": 0, "output_tokens": 0},
        {"input_tokens": -5, "output_tokens": 3},
        {"input_tokens": 10**12, "output_tokens": 3},
        {"input_tokens": [], "output_tokens": 3},
        {"prompt_tokens": 0, "completion_tokens": 0},
        {"prompt_tokens": "12", "completion_tokens": 3},
    ],
)
async def test_a_usage_that_no_provider_bills_changes_nothing(usage: Message):
    window = window_of(())
    first = await prepare(window, chat(1))
    window.observe({"usage": usage})
    assert (await prepare(window, chat(1))).tokens == first.tokens
