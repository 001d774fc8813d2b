"""Which conversation a request belongs to, and how long its window is kept."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.upstream.app import Clock
from token_tracking.sources.replies import Call, Reply
from token_tracking.usage import Usage
from token_tracking.window import Budget
from token_tracking_server.gateway.config import Upstream
from token_tracking_server.gateway.errors import BadRequestError
from token_tracking_server.gateway.exchanges import Answer, Ask
from token_tracking_server.gateway.managing.requests import ChatBody
from token_tracking_server.gateway.managing.strategies import STRATEGIES
from token_tracking_server.gateway.managing.turns import Turns
from token_tracking_server.gateway.managing.windows import IDLE_SECONDS, Windows, conversation_of
from token_tracking_server.gateway.metrics import Gauges

MODEL = "claude-sonnet-4-5"


def body(*texts: str, form: Any = "anthropic", **given: Any) -> ChatBody:
    messages = [{"role": "user", "content": text} for text in texts]
    found = ChatBody.read(form, json.dumps({"messages": messages, **given}).encode())
    assert found is not None
    return found


def test_a_conversation_is_known_again_as_it_grows() -> None:
    assert conversation_of(body("a"), "s") == conversation_of(body("a", "b"), "s")
    assert conversation_of(body("a", system="x"), None) == conversation_of(
        body("a", "b", system="x"), None
    )


def test_subagents_of_one_session_are_conversations_of_their_own() -> None:
    assert conversation_of(body("a"), "s") != conversation_of(body("b"), "s")


def test_without_a_session_the_system_prompt_counts() -> None:
    one, other = body("a", system="x"), body("a", system="y")
    assert conversation_of(one, None) != conversation_of(other, None)
    assert conversation_of(one, "s") == conversation_of(other, "s")
    told = {"role": "system", "content": "x"}
    asked = {"role": "user", "content": "a"}
    prompted = body(form="openai", messages=[told, asked])
    assert conversation_of(prompted, None) != conversation_of(body("a", form="openai"), None)


def test_breakpoints_that_move_do_not_make_another_conversation() -> None:
    text = {"type": "text", "text": "a"}
    marked = {**text, "cache_control": {"type": "ephemeral"}}
    one, other = (body(messages=[{"role": "user", "content": [block]}]) for block in (text, marked))
    assert conversation_of(one, None) == conversation_of(other, None)


@pytest.mark.parametrize("messages", [[], [3], [None], [{"role": "assistant"}], ["\ud800"]])
def test_messages_that_are_none_have_a_conversation_as_well(messages: list[Any]) -> None:
    assert conversation_of(body(messages=messages), None)


def test_a_text_that_is_no_valid_unicode_survives_being_written_anew() -> None:
    broken = body("half of a pair: \ud83d", model="m")
    assert json.loads(broken.written({"messages": broken.messages})) == {
        "messages": broken.messages,
        "model": "m",
    }


def test_a_window_is_the_same_for_the_same_conversation() -> None:
    windows = Windows(Gauges())
    window = windows.of("c", body("a"), MODEL, "default")
    assert windows.of("c", body("a", "b"), MODEL, "default") is window
    assert windows.of("d", body("a"), MODEL, "default") is not window
    assert windows.of("c", body("a"), MODEL, "hybrid") is not window
    small = Budget(max_context_tokens=5000)
    assert windows.of("c", body("a"), MODEL, "default", small) is not window


def test_the_windows_used_longest_ago_leave_first() -> None:
    windows = Windows(Gauges(), most=2)
    first = windows.of("a", body("x"), MODEL, "default")
    second = windows.of("b", body("x"), MODEL, "default")
    assert windows.of("a", body("x"), MODEL, "default") is first
    windows.of("c", body("x"), MODEL, "default")
    assert windows.of("a", body("x"), MODEL, "default") is first
    assert windows.of("b", body("x"), MODEL, "default") is not second


def test_a_window_leaves_an_hour_after_its_last_use() -> None:
    clock = Clock()
    windows = Windows(Gauges(), clock=clock)
    window = windows.of("a", body("x"), MODEL, "default")
    clock.advance(IDLE_SECONDS)
    assert windows.of("a", body("x"), MODEL, "default") is window
    clock.advance(IDLE_SECONDS + 1)
    assert windows.of("a", body("x"), MODEL, "default") is not window


def test_a_conversation_that_is_forgotten_has_no_window_left() -> None:
    windows = Windows(Gauges())
    window = windows.of("a", body("x"), MODEL, "default")
    other = windows.of("b", body("x"), MODEL, "default")
    windows.forget("a")
    assert windows.of("a", body("x"), MODEL, "default") is not window
    assert windows.of("b", body("x"), MODEL, "default") is other


def test_room_for_the_answer_is_added_and_never_taken_back() -> None:
    windows = Windows(Gauges())
    usual = windows.of("a", body("x", max_tokens=10), MODEL, "default")
    assert usual is not None
    assert usual.output == 20_000
    wide = windows.of("a", body("x", max_tokens=64_000), MODEL, "default")
    assert wide is not None
    assert wide.output == 64_000
    assert windows.of("a", body("x", max_tokens=10), MODEL, "default") is wide


def test_more_than_the_model_writes_is_left_to_the_api() -> None:
    windows = Windows(Gauges())
    usual = windows.of("a", body("x"), MODEL, "default")
    assert windows.of("a", body("x", max_tokens=10**9), MODEL, "default") is usual


def test_a_budget_that_the_model_has_no_room_for_has_no_window() -> None:
    windows = Windows(Gauges())
    budget = Budget(max_output_tokens=10**9)
    assert windows.of("a", body("x"), MODEL, "default", budget) is None


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_makes_a_window(strategy: str) -> None:
    assert Windows(Gauges()).of("a", body("x"), MODEL, strategy) is not None


def test_a_strategy_that_is_none_is_refused() -> None:
    with pytest.raises(BadRequestError, match="sliding_window"):
        Windows(Gauges()).of("a", body("x"), MODEL, "magic")


@pytest.mark.parametrize(
    ("given", "is_told"),
    [
        ({}, True),
        ({"tools": [{"name": "f", "input_schema": {"type": "object"}}]}, True),
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, False),
        ({"context_management": {"edits": []}}, False),
    ],
)
async def test_a_prompt_is_learned_where_the_response_tells_its_size(
    given: dict[str, Any], is_told: bool
) -> None:
    """With the provider's own tools its usage is that of several prompts."""
    asked = body("a " * 50, **given)
    window = Windows(Gauges()).of("c", asked, MODEL, "default")
    assert window is not None
    first = await window.prepare(asked, ASK, never)
    assert first is not None
    usage = Usage(input_tokens=9000, output_tokens=5)
    answer = Answer(200, [], aiter_of([]), [Reply(form="anthropic", usage=usage)])
    window.follow(answer, asked, first)
    await answer.aclose()
    second = await window.prepare(asked, ASK, never)
    assert second is not None
    assert (second.prepared.tokens.total >= 9000) == is_told


ASK = Ask(
    upstream=Upstream(name="anthropic", base_url="http://127.0.0.1:9", form="anthropic"),
    form="anthropic",
    method="POST",
    path="/v1/messages",
    headers=[],
    model=MODEL,
    call=Call(started_at=1_800_000_000_000, source="gateway"),
)


async def never(ask: Ask) -> Answer:
    raise AssertionError(f"nothing is asked of {ask.upstream.name}")


async def aiter_of(chunks: list[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def test_turns_are_taken_in_order_and_apart_from_others() -> None:
    turns, order = Turns(), list[str]()

    async def take(name: str, text: str) -> None:
        end = await turns.take(name)
        order.append(text)
        end()

    end = await turns.take("s")
    waiting = [asyncio.create_task(take("s", text)) for text in ("1", "2", "3")]
    await take("other", "0")
    waiting[1].cancel()
    await asyncio.sleep(0)
    end()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert order == ["0", "1", "3"]
    assert not turns._lines  # pyright: ignore[reportPrivateUsage] # nothing is left behind
