"""The prompt cache of the local server: sums that are worked out by hand."""

from typing import Any

import pytest
from anthropic import Anthropic
from hypothesis import given
from hypothesis import strategies as st

from tests.upstream.app import Clock, Upstream
from tests.upstream.caching import Billed, Cache
from tests.upstream.counting import DOCUMENT_TOKENS, IMAGE_TOKENS, block_tokens, tool_tokens
from tests.upstream.prompts import Part, parts_of

MODEL = "claude-opus-4-8"
MINUTES, HOUR = "5m", "1h"


def part(name: str, tokens: int = 1_000, ttl: str | None = None) -> Part:
    return Part(name, tokens, ttl)


def plain(count: int, start: int = 0) -> list[Part]:
    return [part(f"p{number}", 100) for number in range(start, start + count)]


def bill(cache: Cache, *parts: Part, model: str = MODEL) -> Billed:
    return cache.bill(model, parts, 1_024)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cache(clock: Clock) -> Cache:
    return Cache(clock)


def test_without_a_breakpoint_nothing_is_cached(cache: Cache) -> None:
    assert bill(cache, part("a", 5_000)) == bill(cache, part("a", 5_000)) == Billed(fresh=5_000)


def test_what_was_written_is_read_and_the_rest_is_written(cache: Cache) -> None:
    assert bill(cache, part("a", 2_000, MINUTES), part("b")) == Billed(fresh=1_000, write_5m=2_000)
    again = bill(cache, part("a", 2_000), part("b", ttl=MINUTES), part("c", 7))
    assert again == Billed(fresh=7, read=2_000, write_5m=1_000)


def test_a_change_before_the_breakpoint_loses_it(cache: Cache) -> None:
    bill(cache, part("a"), part("b", ttl=MINUTES))
    assert bill(cache, part("A"), part("b", ttl=MINUTES)) == Billed(write_5m=2_000)


def test_an_earlier_breakpoint_saves_what_precedes_a_change(cache: Cache) -> None:
    bill(cache, part("a", 2_000, MINUTES), part("b", ttl=MINUTES))
    edited = bill(cache, part("a", 2_000, MINUTES), part("B", ttl=MINUTES))
    assert edited == Billed(read=2_000, write_5m=1_000)


def test_models_do_not_share(cache: Cache) -> None:
    bill(cache, part("a", 2_000, MINUTES))
    assert bill(cache, part("a", 2_000, MINUTES), model="another").read == 0


@pytest.mark.parametrize(("tokens", "written"), [(1_023, 0), (1_024, 1_024)])
def test_short_prefixes_are_not_cached(cache: Cache, tokens: int, written: int) -> None:
    billed = bill(cache, part("a", tokens, MINUTES))
    assert (billed.write_5m, billed.prompt) == (written, tokens)


@pytest.mark.parametrize(("between", "read"), [(18, True), (19, True), (20, False)])
def test_the_look_back_is_twenty_blocks(cache: Cache, between: int, read: bool) -> None:
    bill(cache, part("a", 2_000, MINUTES))
    billed = bill(cache, part("a", 2_000), *plain(between - 1), part("z", 100, MINUTES))
    # The breakpoint is the first block of the twenty.
    assert (billed.read == 2_000) is read
    assert billed.prompt == 2_000 + 100 * between


@pytest.mark.parametrize(
    ("ttl", "seconds", "read"),
    [(MINUTES, 299, 2_000), (MINUTES, 300, 0), (HOUR, 3_599, 2_000), (HOUR, 3_600, 0)],
)
def test_an_entry_lapses(cache: Cache, clock: Clock, ttl: str, seconds: float, read: int) -> None:
    bill(cache, part("a", 2_000, ttl))
    clock.advance(seconds)
    assert bill(cache, part("a", 2_000, ttl)).read == read


def test_every_use_renews_an_entry(cache: Cache, clock: Clock) -> None:
    bill(cache, part("a", 2_000, MINUTES))
    for _ in range(3):
        clock.advance(299)
        assert bill(cache, part("a", 2_000, MINUTES)).read == 2_000


def test_hours_and_minutes_are_written_apart(cache: Cache, clock: Clock) -> None:
    first = bill(cache, part("a", 2_000, HOUR), part("b", 500, MINUTES), part("c", 50))
    assert first == Billed(fresh=50, write_1h=2_000, write_5m=500)
    clock.advance(600)
    later = bill(cache, part("a", 2_000, HOUR), part("b", 500, MINUTES), part("c", 50))
    assert later == Billed(fresh=50, read=2_000, write_5m=500)


@given(st.lists(st.tuples(st.integers(1, 3_000), st.sampled_from([None, HOUR])), max_size=40),
       st.integers(0, 40))  # fmt: skip
def test_every_token_is_billed_once(sizes: list[tuple[int, str | None]], cut: int) -> None:
    cache = Cache(Clock())
    parts = [Part(str(number), *size) for number, size in enumerate(sizes)]
    for prompt in (parts[:cut], parts, parts):
        billed = bill(cache, *prompt)
        assert billed.prompt == sum(each.tokens for each in prompt)
    # Nothing is new in the second of two equal prompts.
    assert billed.write_1h == billed.write_5m == 0


@pytest.mark.parametrize(
    ("block", "tokens"),
    [
        ({"type": "text", "text": "12345"}, 2),
        ({"type": "text", "text": "1234", "cache_control": {"type": "ephemeral"}}, 1),
        ({"type": "thinking", "thinking": "12345678", "signature": "long" * 100}, 2),
        ({"type": "tool_use", "id": "t", "name": "look", "input": {"a": "ä"}}, 1 + 3),
        ({"type": "tool_result", "tool_use_id": "t", "content": "12345"}, 2),
        ({"type": "tool_result", "tool_use_id": "t"}, 0),
        (
            {"type": "tool_result", "tool_use_id": "t", "content": [
                {"type": "text", "text": "12345"}, {"type": "image", "source": {"data": "x"}}]},
            2 + IMAGE_TOKENS,
        ),
        ({"type": "document", "source": {"type": "text", "data": "12345"}}, 2),
        ({"type": "document", "source": {"type": "base64", "data": "x"}}, DOCUMENT_TOKENS),
        ({"type": "compaction", "content": "12345"}, 2),
        ({"type": "other"}, 4),
    ],
)  # fmt: skip
def test_a_block_is_counted_by_the_rule(block: dict[str, Any], tokens: int) -> None:
    assert block_tokens(block) == tokens


def test_tools_and_system_stand_before_messages() -> None:
    tool = {"name": "look", "input_schema": {"type": "object"}}
    request: dict[str, Any] = {
        "messages": [{"role": "user", "content": "Hi"}],
        "system": [{"type": "text", "text": "Be short."}],
        "tools": [tool],
        "cache_control": {"type": "ephemeral", "ttl": HOUR},
    }
    parts = parts_of(request)
    assert [each.tokens for each in parts] == [tool_tokens(tool), 3, 1]
    assert [each.ttl for each in parts] == [None, None, HOUR]


def test_a_conversation_is_read_as_it_grows(client: Anthropic, upstream: Upstream) -> None:
    mark: Any = {"cache_control": {"type": "ephemeral"}}
    system: Any = [{"type": "text", "text": "s" * 8_000, **mark}]
    messages: list[Any] = []
    seen: list[tuple[int, int, int]] = []
    for turn in range(3):
        messages.append({"role": "user", "content": str(turn) * 400})
        with client.messages.stream(
            model=MODEL, max_tokens=99, system=system, messages=messages, **mark
        ) as stream:
            answer = stream.get_final_message()
        messages.append({"role": "assistant", "content": "a" * 40})
        usage = answer.usage
        seen.append(
            (
                usage.input_tokens,
                usage.cache_read_input_tokens or 0,
                usage.cache_creation_input_tokens or 0,
            )
        )
    assert seen == [(0, 0, 2_100), (0, 2_100, 110), (0, 2_210, 110)]
    upstream.clock.advance(301)
    messages[-1] = {"role": "user", "content": "Again?"}
    lapsed = client.messages.create(
        model=MODEL, max_tokens=99, system=system, messages=messages
    ).usage
    assert lapsed.cache_creation
    assert lapsed.cache_creation.ephemeral_5m_input_tokens == 2_000
    assert lapsed.cache_read_input_tokens == 0


def test_a_change_of_settings_keeps_the_system_in_the_cache(client: Anthropic) -> None:
    mark: Any = {"cache_control": {"type": "ephemeral"}}
    fields: dict[str, Any] = {
        "model": MODEL,
        "max_tokens": 99,
        "system": [{"type": "text", "text": "s" * 8_000, **mark}],
        "messages": [{"role": "user", "content": "u" * 400}],
        **mark,
    }
    create: Any = client.messages.create
    create(**fields)
    usage = create(**fields, tool_choice={"type": "none"}).usage
    assert (usage.cache_read_input_tokens, usage.cache_creation_input_tokens) == (2_000, 100)
