import json
from typing import Any

import pytest

from tests.sources.replies.streams import (
    JSON,
    anthropic_events,
    anthropic_usage,
    compact,
    named_events,
    read,
)
from token_tracking.extra_usage import ExtraUsage
from token_tracking.sources.replies import Reply
from token_tracking.usage import Usage

WHOLE: dict[str, Any] = {
    "id": "msg_01",
    "type": "message",
    "role": "assistant",
    "model": "claude-opus-4-6",
    "content": [
        {"type": "thinking", "thinking": "hmm", "signature": "xxxx"},
        {"type": "text", "text": "héllo"},
        {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"text": "no"}},
    ],
    "stop_reason": "tool_use",
    "usage": {
        "input_tokens": 3,
        "output_tokens": 9,
        "cache_read_input_tokens": 100,
        "cache_creation_input_tokens": 30,
        "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20},
        "server_tool_use": {"web_search_requests": 2},
        "service_tier": "priority",
        "inference_geo": "us",
    },
}


def test_a_whole_message_tells_its_counts_terms_and_sizes() -> None:
    assert read("anthropic", compact(WHOLE), content_type=JSON) == [
        Reply(
            form="anthropic",
            message_id="msg_01",
            model="claude-opus-4-6",
            usage=Usage(
                input_tokens=3,
                output_tokens=9,
                cache_read_tokens=100,
                cache_write_5m_tokens=10,
                cache_write_1h_tokens=20,
                web_search_requests=2,
            ),
            is_complete=True,
            stop_reason="tool_use",
            service_tier="priority",
            inference_geo="us",
            text_bytes=6,
            thinking_bytes=3,
        )
    ]


def test_the_end_of_a_stream_replaces_the_counts_that_it_names_and_no_others() -> None:
    events = anthropic_events(input_tokens=15, cache_read_input_tokens=None)
    events[0]["message"]["usage"] = anthropic_usage(cache_read_input_tokens=70)
    (reply,) = read("anthropic", named_events(events))
    assert reply.usage == Usage(input_tokens=15, output_tokens=40, cache_read_tokens=70)
    assert (reply.is_complete, reply.stop_reason) == (True, "end_turn")
    assert (reply.text_bytes, reply.service_tier) == (6, "standard")


def test_a_stream_that_breaks_off_tells_what_it_told_and_is_not_complete() -> None:
    body = named_events(anthropic_events()[:4])
    (reply,) = read("anthropic", body, is_complete=False)
    assert reply.usage == Usage(input_tokens=12, output_tokens=1)
    assert (reply.message_id, reply.is_complete, reply.stop_reason) == ("msg_01", False, None)


def test_an_error_in_a_stream_is_named_and_what_went_before_is_kept() -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    (reply,) = read("anthropic", named_events([*anthropic_events()[:3], error]))
    assert (reply.error_type, reply.is_complete) == ("overloaded_error", False)
    assert reply.usage == Usage(input_tokens=12, output_tokens=1)


def test_unknown_events_comments_and_garbage_change_nothing() -> None:
    events = anthropic_events()
    odd = b': keep-alive\n\nevent: new\ndata: {"type":"new"}\n\ndata: {"type":\n\ndata: 7\n\n'
    noisy = b"".join(named_events([event]) + odd for event in events)
    assert read("anthropic", noisy) == read("anthropic", named_events(events))


def test_what_was_billed_apart_is_extra() -> None:
    advisor = {"type": "advisor_message", "model": "claude-haiku-5", **anthropic_usage()}
    (reply,) = read("anthropic", named_events(anthropic_events(iterations=[advisor])))
    extra = ExtraUsage(
        type="advisor_message",
        model="claude-haiku-5",
        usage=Usage(input_tokens=12, output_tokens=1),
    )
    assert reply.extra is not None
    assert json.loads(reply.extra)[0]["usage"]["input_tokens"] == extra.usage.input_tokens


@pytest.mark.parametrize("count", [-1, True, 1.5, "7", 10**9])
def test_an_impossible_count_makes_the_usage_unknown_and_says_so(count: object) -> None:
    (reply,) = read("anthropic", named_events(anthropic_events(output_tokens=count)))
    assert (reply.usage, reply.problem) == (None, "invalid usage")
    assert reply.message_id == "msg_01"


def test_the_results_of_a_batch_are_replies_of_the_batch_tier() -> None:
    lines = [
        {"custom_id": "a", "result": {"type": "succeeded", "message": WHOLE}},
        {"custom_id": "b", "result": {"type": "errored", "error": {"type": "error"}}},
        {"custom_id": "c", "result": {"type": "succeeded", "message": {**WHOLE, "id": "msg_02"}}},
    ]
    body = b"\n".join(compact(line) for line in lines) + b'\n{"custom_id":"d","resu'
    path = "/v1/messages/batches/msgbatch_1/results"
    replies = read("anthropic", body, path=path, content_type="application/x-jsonl")
    assert [reply.message_id for reply in replies] == ["msg_01", "msg_02"]
    assert {reply.service_tier for reply in replies} == {"batch"}
    assert all(reply.is_complete and reply.usage for reply in replies)


def test_half_an_emoji_in_the_text_loses_no_counts() -> None:
    body = compact(WHOLE).replace("héllo".encode(), b"\\ud83d")
    (reply,) = read("anthropic", body, content_type=JSON)
    assert reply.usage is not None
    assert reply.usage.output_tokens == 9
