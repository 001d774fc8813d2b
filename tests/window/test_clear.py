"""`ClearToolResults`: what is cleared, when, and that it stays cleared."""

import threading
from collections.abc import Callable
from typing import Any, cast

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
from token_tracking.counting import TokenCount, TokenCounter
from token_tracking.window.blocks import Block
from token_tracking.window.content_store import MemoryContentStore
from token_tracking.window.draft import Draft
from token_tracking.window.economics import Economics, Ratios
from token_tracking.window.placeholders import FETCH_NAME
from token_tracking.window.policies.clear import (
    MANY_BLOCKS,
    MANY_CHARACTERS,
    NEWEST_BLOCKS,
    ClearToolResults,
    weigh,
)
from token_tracking.window.policies.emergency import Emergency
from token_tracking.window.prepared import Prepared
from token_tracking.window.prompt_cache import FIVE_MINUTES_MS


def clearing(**options: Any) -> ClearToolResults:
    """It clears as soon as it can."""
    return ClearToolResults(is_gated=False, **options)


class Expected:
    """So many requests are always to come."""

    def __init__(self, requests: float) -> None:
        self._requests = requests

    def expected(self, made: int) -> float:
        return self._requests


class Doing:
    """A policy of its own, which does one thing to each draft."""

    name = "doing"

    def __init__(self, act: Callable[[Draft], object]) -> None:
        self._act = act

    async def shape(self, draft: Draft) -> None:
        self._act(draft)


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
    assert given["content"].startswith("[content of this finished call")
    assert "cleared" in given["content"]
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
    """With no request to come nothing pays, and to get back 200 tokens is dearer than to read
    them once more."""
    window = window_of(ClearToolResults(keep=1), context=2_400, remaining=Expected(0))
    found = await prepare_all(window, [user(words(1_100)), *agent(8)[1:]])
    assert max(prepared.tokens.total for prepared in found) <= 2_400
    assert not all(whole(found[-1]))
    whys = {action.why for prepared in found for action in prepared.actions if action.is_done}
    assert whys == {"the prompt is over its budget"}


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


async def test_the_arguments_of_the_last_rounds_calls_are_kept():
    messages = agent(3)
    for number in (3, 5):
        messages[number]["content"][0]["input"] = {"path": "a.py", "content": words(300)}
    prepared = await prepare(window_of(clearing(keep=1, keep_used=False)), messages)
    assert "cleared" in str(prepared.messages[3])
    assert prepared.messages[5]["content"][0]["input"] == messages[5]["content"][0]["input"]


async def test_two_answers_in_a_row_are_one_round():
    messages = agent(1)
    for number in (1, 2):
        messages += [assistant("let me see"), *tool_round(number, 200)]
    prepared = await prepare(window_of(clearing(keep=2)), messages)
    assert whole(prepared) == [False, True, True]


async def test_what_its_placeholder_would_be_longer_than_stays():
    window = window_of(clearing(keep=1, least_tokens=0))
    assert all(whole(await prepare(window, agent(3, 5))))


async def test_what_it_saves_now_is_counted_in_for_the_policies_behind_it():
    spent: list[float] = []
    noting = Doing(lambda draft: spent.append(draft.economics.spent))
    await prepare(window_of([noting, clearing(keep=1), noting]), agent(3, 1_000))
    # Two results of 1,000 tokens, for each a placeholder of about 50: none of it is written.
    assert spent[1] - spent[0] == pytest.approx(-1.25 * 2 * 950)


def two_turns() -> list[Message]:
    """Five messages, and five of another turn with two results."""
    second = [user("and now?"), *tool_round(1, 200), *tool_round(2, 200)]
    return [*agent(1), assistant("that is it"), *second]


LEAVING = Doing(lambda draft: draft.drop(range(1, 4)))
"""It leaves out what was done in the first turn."""


async def test_what_is_left_out_already_is_not_cleared():
    prepared = await prepare(window_of([LEAVING, clearing(keep=1)]), two_turns())
    assert [action.what for action in prepared.actions] == ["cleared 1 old result"]
    assert whole(prepared) == [False, True]


async def test_the_cache_is_kept_up_to_the_first_result_that_is_still_sent():
    found: list[int | None] = []
    noting = Doing(lambda draft: found.append(draft.frontier))
    await prepare(window_of([clearing(keep=9), noting]), two_turns())
    await prepare(window_of([LEAVING, clearing(keep=9), noting]), two_turns())
    assert found == [1, 5]


@pytest.mark.parametrize(("rounds", "is_kept"), [(200, True), (NEWEST_BLOCKS // 2 + 1, False)])
async def test_of_a_conversation_taken_over_the_uses_of_the_newest_are_looked_at(
    rounds: int, is_kept: bool
):
    messages = agent(rounds, 1)
    messages[2]["content"][0]["content"] = f"handle_request {words(200)}"
    messages[-2]["content"].insert(0, {"type": "text", "text": "I change handle_request"})
    prepared = await prepare(window_of(clearing(keep=2)), messages)
    assert said(prepared, "handle_request word0") == is_kept


class Threads:
    """A token for each word, and the threads in which placeholders were counted."""

    def __init__(self) -> None:
        self.seen: set[int] = set()

    def count(self, text: str) -> TokenCount:
        if "cleared to save context" in text:
            self.seen.add(threading.get_ident())
        return TokenCount(tokens=len(text.split()), method="words", exact=True, error_p95=0.0)


@pytest.mark.parametrize(
    ("rounds", "size", "with_store", "is_off"),
    [
        (MANY_BLOCKS // 2 - 1, 200, False, False),
        (MANY_BLOCKS // 2, 200, False, True),
        (2, MANY_CHARACTERS // 10, False, False),
        (2, MANY_CHARACTERS // 6, False, True),
        (2, 200, True, True),
    ],
)
async def test_where_there_is_much_or_a_store_it_clears_off_the_event_loop(
    rounds: int, size: int, with_store: bool, is_off: bool
):
    threads, counter = Threads(), TokenCounter()
    counter.plug_in(threads)
    messages = agent(rounds, 1)
    messages[2]["content"][0]["content"] = " ".join(["found"] * size)
    store = MemoryContentStore() if with_store else None
    await prepare(window_of(clearing(keep=1, store=store), counter=counter), messages)
    assert threads.seen
    assert (threading.get_ident() not in threads.seen) == is_off


class Prompt:
    """A draft of 60,000 tokens of which the first four messages were sent before, 1,000 tokens
    each, and are cached up to some of them."""

    known = 4
    tokens = 60_000

    def __init__(self, cached_messages: int = 4, *, remaining: float = 30.0) -> None:
        self._cached = cached_messages
        self.economics = Economics(
            ratios=Ratios(0.1, 1.25),
            is_cached=cached_messages > 0,
            remaining=remaining,
            spent=0.0,
            alone=1e9,
        )

    def readable(self, message: int) -> int:
        return 1_000 * min(message, self._cached)

    def sent_tokens(self, block: Block) -> int:
        return block.tokens


def result_of(message: int, tokens: int) -> Block:
    return Block(message, 0, "tool_result", "", tokens=tokens)


def weighed(prompt: Prompt, *blocks: Block, again: float = 0.0):
    return weigh(cast("Draft", prompt), blocks, again)


def test_what_stands_behind_the_first_cleared_result_is_written_again():
    found = weighed(Prompt(), result_of(1, 850), result_of(3, 450))
    # 800 and 400 go. Of the 3,000 from message 1 on, 1,800 are written again.
    assert found.now == pytest.approx(1.15 * 1_800 - 0.1 * 1_200)
    assert found.later == pytest.approx(30 * 0.1 * 1_200)


def test_what_is_sent_for_the_first_time_is_not_written():
    found = weighed(Prompt(), result_of(5, 850), result_of(3, 450))
    # 400 of the 1,000 from message 3 on were cached, so that 600 are written again.
    assert found.now == pytest.approx(1.15 * 600 - 0.1 * 400 - 1.25 * 800)
    assert found.later == pytest.approx(30 * 0.1 * 1_200)


def test_what_was_not_cached_any_more_is_not_written_again_less_than_not_at_all():
    found = weighed(Prompt(cached_messages=1), result_of(2, 850))
    assert found.now == pytest.approx(-0.1 * 800)


def test_what_of_it_has_to_be_got_back_is_no_saving():
    found = weighed(Prompt(), result_of(1, 850), result_of(3, 450), again=0.5)
    # Half the time: 60,000 read once more each, 800 and 400 written, and a call each.
    regret = 0.5 * (6_000 + 1_000 + 400) + 0.5 * (6_000 + 500 + 400)
    assert found.later == pytest.approx(3_600 - regret)


def test_where_much_has_to_be_got_back_clearing_does_not_pay():
    blocks = (result_of(1, 850), result_of(3, 450))
    patient = Prompt(remaining=100)  # 12,000 later, 1,950 now
    assert weighed(patient, *blocks).pays
    assert weighed(patient, *blocks, again=0.5).pays  # 7,150 are lost
    assert not weighed(patient, *blocks, again=0.6).pays  # 8,580
    assert "would not pay" in weighed(patient, *blocks, again=0.6).why


TASK = 19_900
"""Words of a task, with which the prompts below have about 20,000 tokens."""


def looking(*sizes: int) -> list[Message]:
    """A long task, and calls with results of these sizes."""
    rounds = [each for number, size in enumerate(sizes) for each in tool_round(number, size)]
    return [user(words(TASK)), *rounds]


def once(**options: Any) -> ClearToolResults:
    """It keeps one round, and goes by nothing but what clearing costs and saves."""
    return ClearToolResults(keep=1, least_tokens=0, keep_used=False, **options)


async def test_what_costs_less_to_carry_than_to_get_back_stays():
    """With nothing cached and no request to come, n tokens cost 1.25 (n - 50) to send. Three times
    in a hundred they are got back for 0.1 x 20,000, 1.25 n and 400: from 111 on it is worth it."""
    window = window_of(once(), remaining=Expected(0))
    prepared = await prepare(window, looking(108, 114, 10))
    assert whole(prepared) == [True, False, True]
    at_once = window_of(once(is_gated=False), remaining=Expected(0))
    assert whole(await prepare(at_once, looking(108, 114, 10))) == [False, False, True]


async def test_the_more_requests_are_to_come_the_smaller_what_is_worth_clearing():
    """Ten times 0.1 more to carry: from 83 on."""
    window = window_of(once(), remaining=Expected(10))
    prepared = await prepare(window, looking(80, 86, 10))
    assert whole(prepared) == [True, False, True]


def asking(number: int, tool: str = "look", *, about: int) -> list[Message]:
    """A call about something, and a short result."""
    call, result = tool_round(number, 10)
    call["content"][0] |= {"name": tool, "input": {"n": about}}
    return [call, result]


async def learned(*parts: list[Message], size: int) -> bool:
    """Whether a result of `size` tokens is cleared, where twelve were cleared before and then came
    these parts, with a request behind each; the last time nothing is cached any more."""
    clock = Clock()
    window = window_of(once(), remaining=Expected(0), clock=clock)
    messages = looking(*[200] * 12, 10)
    assert whole(await prepare(window, messages)) == [False] * 12 + [True]
    for part in parts:
        messages = [*messages, *part]
        await prepare(window, messages)
    clock.now += FIVE_MINUTES_MS / 1000 + 1
    messages = [*messages, *tool_round(98, size), *tool_round(99, 10)]
    prepared = await prepare(window, messages)
    return not whole(prepared)[-2]


FIRST = asking(20, about=0)
SECOND = asking(21, about=1)
"""They ask again for what was cleared."""


@pytest.mark.parametrize(
    ("parts", "worth"),
    [
        # So many of 42 (12, and 30 from before): 1.25 (n - 50) is more than that share of
        # 0.1 x 20,250, 1.25 n and 400.
        ([], 93),  # 0.9
        ([FIRST], 145),  # 1.9
        ([[*FIRST, *SECOND]], 200),  # 2.9
        ([FIRST, SECOND], 200),
        ([[*FIRST, *asking(21, about=0)]], 200),  # one thing, twice
        ([asking(20, FETCH_NAME, about=0)], 145),
        ([asking(20, about=55)], 93),  # something else
        ([asking(20, "find", about=0)], 93),  # another tool's
    ],
)
async def test_it_learns_from_what_is_asked_for_again(parts: list[list[Message]], worth: int):
    assert not await learned(*parts, size=worth - 10)
    assert await learned(*parts, size=worth + 10)


async def test_what_was_fetched_before_anything_was_cleared_teaches_nothing():
    fetches = [each for n in range(5) for each in asking(50 + n, FETCH_NAME, about=n)]
    messages = looking(108, 118, 10)
    prepared = await prepare(
        window_of(once(), remaining=Expected(0)), [messages[0], *fetches, *messages[1:]]
    )
    assert whole(prepared)[-3:] == [True, False, True]


async def test_where_no_placeholder_is_shorter_nothing_is_said_to_be_done():
    messages = agent(4, 5)
    window = window_of(clearing(keep=1, least_tokens=0))
    prepared = await prepare(window, messages)
    assert "cleared" not in str(prepared.messages)
    assert [(action.is_done, action.tokens) for action in prepared.actions] == [(False, 0)]
