from types import SimpleNamespace

import pytest
from hypothesis import given

from tests.events import usages
from token_tracking.errors import InvalidUsageError
from token_tracking.usage import MAX_COUNT, MAX_SEARCHES, Usage, UsageEvent, message_key


def test_prompt_tokens_are_everything_that_was_sent() -> None:
    usage = Usage(
        input_tokens=1,
        cache_read_tokens=20,
        cache_write_5m_tokens=300,
        cache_write_1h_tokens=4000,
        output_tokens=50000,
    )
    assert usage.prompt_tokens == 4321
    assert usage.total_tokens == 54321


@given(usages, usages)
def test_usages_add_up(a: Usage, b: Usage) -> None:
    assert (a + b).total_tokens == a.total_tokens + b.total_tokens
    assert a + Usage() == a


@pytest.mark.parametrize("wrong", [True, -1, 1.0, "5", None])
def test_a_count_that_is_none_is_refused(wrong: object) -> None:
    with pytest.raises(InvalidUsageError, match="input_tokens"):
        Usage(input_tokens=wrong)  # pyright: ignore[reportArgumentType]


def test_anthropics_usage_is_read_from_a_dict() -> None:
    usage = Usage.from_anthropic(
        {
            "input_tokens": 5,
            "output_tokens": 7,
            "cache_creation_input_tokens": 100,
            "cache_read_input_tokens": 200,
            "cache_creation": {"ephemeral_5m_input_tokens": 30, "ephemeral_1h_input_tokens": 70},
            "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 1},
        }
    )
    assert usage == Usage(
        input_tokens=5,
        output_tokens=7,
        cache_read_tokens=200,
        cache_write_5m_tokens=30,
        cache_write_1h_tokens=70,
        web_search_requests=2,
        web_fetch_requests=1,
    )


def test_anthropics_usage_is_read_from_an_object() -> None:
    given_usage = SimpleNamespace(model_dump=lambda: {"input_tokens": 5, "output_tokens": 7})
    assert Usage.from_anthropic(given_usage) == Usage(input_tokens=5, output_tokens=7)


def test_writes_without_a_lifetime_are_five_minute_writes() -> None:
    raw = {"input_tokens": 1, "output_tokens": 1, "cache_creation_input_tokens": 9}
    assert Usage.from_anthropic(raw).cache_write_5m_tokens == 9


def test_writes_beyond_the_breakdown_are_five_minute_writes() -> None:
    raw = {
        "input_tokens": 1,
        "output_tokens": 1,
        "cache_creation_input_tokens": 9,
        "cache_creation": {"ephemeral_1h_input_tokens": 4},
    }
    assert Usage.from_anthropic(raw).cache_write_5m_tokens == 5


@pytest.mark.parametrize(
    "raw",
    [
        None,
        7,
        "usage",
        {},
        {"input_tokens": 5},
        {"input_tokens": 5, "output_tokens": None},
        {"input_tokens": "5", "output_tokens": 1},
        {"input_tokens": -5, "output_tokens": 1},
        {"input_tokens": True, "output_tokens": 1},
        {"input_tokens": MAX_COUNT + 1, "output_tokens": 1},
        {"input_tokens": 1, "output_tokens": 1, "cache_read_input_tokens": 1.5},
    ],
)
def test_what_is_no_usage_is_refused(raw: object) -> None:
    with pytest.raises(InvalidUsageError):
        Usage.from_anthropic(raw)


def test_an_id_that_starts_with_msg_is_global() -> None:
    assert message_key("msg_1", "s1", "r1", 1) == message_key("msg_1", "s2", "r2", 2) == "msg_1"


def test_any_other_id_is_scoped_by_session_and_request() -> None:
    keys = {
        message_key("1", "s1", "r1", 1),
        message_key("1", "s2", "r1", 1),
        message_key("1", "s1", "r2", 1),
        message_key("2", "s1", "r1", 1),
    }
    assert len(keys) == 4
    assert message_key("1", "s1", "r1", 1) == message_key("1", "s1", "r1", 2)


def test_an_id_without_request_is_scoped_by_time() -> None:
    assert message_key("1", "s1", None, 1) != message_key("1", "s1", None, 2)


def test_scoped_ids_cannot_be_confused() -> None:
    assert message_key("b/c", "a", "d", 1) != message_key("c", "a/b", "d", 1)


@pytest.mark.parametrize("timestamp", [-1, 10**15])
def test_a_time_out_of_range_is_refused(timestamp: int) -> None:
    with pytest.raises(InvalidUsageError, match="milliseconds"):
        UsageEvent(key="k", usage=Usage(), timestamp=timestamp, source="track")


@pytest.mark.parametrize(
    "usage",
    [
        Usage(output_tokens=MAX_COUNT + 1),
        Usage(cache_write_5m_tokens=MAX_COUNT, cache_write_1h_tokens=1),
        Usage(web_search_requests=MAX_SEARCHES + 1),
    ],
)
def test_a_message_of_absurd_size_is_refused(usage: Usage) -> None:
    with pytest.raises(InvalidUsageError, match="no single request"):
        UsageEvent(key="k", usage=usage, timestamp=1, source="track")
