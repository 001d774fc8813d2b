from typing import Any

import pytest

from tests.sources.replies.streams import (
    JSON,
    RESPONSES,
    Json,
    chat_usage,
    chunk,
    compact,
    data_events,
    ended,
    named_events,
    read,
)
from token_tracking.errors import InvalidUsageError
from token_tracking.sources.replies import Reply, usage_from_openai
from token_tracking.usage import Usage

COMPLETION: Json = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1_800_000_000,
    "model": "gpt-5-2025-08-07",
    "service_tier": "flex",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "héllo", "reasoning_content": "hmm"},
            "finish_reason": "stop",
        }
    ],
    "usage": chat_usage(prompt_tokens_details={"cached_tokens": 15}),
}

RESPONSE: Json = {
    "id": "resp_1",
    "object": "response",
    "model": "gpt-5",
    "status": "completed",
    "service_tier": "default",
    "error": None,
    "output": [
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hmm"}]},
        {"type": "message", "content": [{"type": "output_text", "text": "héllo"}]},
    ],
    "usage": {
        "input_tokens": 20,
        "input_tokens_details": {"cached_tokens": 15, "cache_write_tokens": 4},
        "output_tokens": 7,
        "total_tokens": 27,
    },
}

TOLD = Usage(input_tokens=20, output_tokens=7)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (chat_usage(), TOLD),
        (
            chat_usage(prompt_tokens_details={"cached_tokens": 15}),
            Usage(input_tokens=5, cache_read_tokens=15, output_tokens=7),
        ),
        (
            chat_usage(prompt_cache_hit_tokens=15, prompt_cache_miss_tokens=5),
            Usage(input_tokens=5, cache_read_tokens=15, output_tokens=7),
        ),
        (
            RESPONSE["usage"],
            Usage(input_tokens=1, cache_read_tokens=15, cache_write_5m_tokens=4, output_tokens=7),
        ),
        # Gemini leaves thinking out of the completion, and xAI reasoning.
        ({**chat_usage(20, 151), "total_tokens": 553}, Usage(input_tokens=20, output_tokens=533)),
        ({"prompt_tokens": 20, "total_tokens": 20}, Usage(input_tokens=20)),
        # OpenAI's reasoning is part of the completion.
        (chat_usage(completion_tokens_details={"reasoning_tokens": 6}), TOLD),
    ],
)
def test_each_providers_usage_is_read_as_it_bills(given: Json, expected: Usage) -> None:
    assert usage_from_openai(given) == expected


def test_the_packages_own_objects_are_read_too() -> None:
    from openai.types import CompletionUsage

    assert usage_from_openai(CompletionUsage(**chat_usage())) == TOLD


@pytest.mark.parametrize(
    "given",
    [
        None,
        7,
        {},
        {"prompt_tokens": 5},
        chat_usage(-1),
        chat_usage(True),
        chat_usage(5.0),  # pyright: ignore[reportArgumentType]
        {**chat_usage(), "completion_tokens": "7"},
        chat_usage(10**9),
        chat_usage(prompt_tokens_details={"cached_tokens": 21}),
        chat_usage(prompt_tokens_details={"cached_tokens": -1}),
    ],
)
def test_impossible_counts_are_refused_and_make_a_reply_without_usage(given: Any) -> None:
    with pytest.raises(InvalidUsageError):
        usage_from_openai(given)
    (reply,) = read("openai", compact({**COMPLETION, "usage": given}), content_type=JSON)
    assert reply.usage is None
    assert reply.message_id == "chatcmpl-1"
    assert reply.problem == ("invalid usage" if isinstance(given, dict) and given else None)


def test_a_whole_completion_tells_its_counts_terms_and_sizes() -> None:
    assert read("openai", compact(COMPLETION), content_type=JSON) == [
        Reply(
            form="openai",
            message_id="chatcmpl-1",
            model="gpt-5-2025-08-07",
            usage=Usage(input_tokens=5, cache_read_tokens=15, output_tokens=7),
            is_complete=True,
            stop_reason="stop",
            service_tier="flex",
            text_bytes=6,
            thinking_bytes=3,
        )
    ]


def test_a_stream_tells_its_usage_in_a_chunk_without_choices() -> None:
    deltas = [chunk({"content": text}, usage=None) for text in ("", "hé", "llo")]
    body = data_events(*deltas, ended(usage=None), chunk(usage=chat_usage()))
    (reply,) = read("openai", body)
    assert reply.usage == TOLD
    assert (reply.is_complete, reply.stop_reason, reply.text_bytes) == (True, "stop", 6)


def test_a_stream_that_was_not_asked_for_usage_tells_an_id_and_no_counts() -> None:
    (reply,) = read("openai", data_events(chunk({"content": "hi"}), ended()))
    assert (reply.message_id, reply.usage, reply.problem) == ("chatcmpl-1", None, None)


def test_groq_tells_it_in_a_field_of_its_own() -> None:
    last = ended(x_groq={"id": "req_1", "usage": chat_usage()}, service_tier="on_demand")
    (reply,) = read("openai", data_events(chunk({"content": "hi"}, x_groq={"id": "r"}), last))
    assert (reply.usage, reply.is_complete, reply.service_tier) == (TOLD, True, "standard")


def test_gemini_counts_with_every_chunk_and_the_last_holds() -> None:
    first = chunk({"content": "a"}, usage={**chat_usage(20, 1), "total_tokens": 40})
    last = ended(usage={**chat_usage(20, 7), "total_tokens": 60})
    (reply,) = read("openai", data_events(first, last))
    assert (reply.usage, reply.is_complete) == (Usage(input_tokens=20, output_tokens=40), True)
    (broken,) = read("openai", data_events(first)[:-14], is_complete=False)
    assert broken.usage == Usage(input_tokens=20, output_tokens=20)
    assert not broken.is_complete


def test_an_error_in_a_stream_is_named() -> None:
    error = {"error": {"message": "no", "type": "server_error", "code": None}}
    (reply,) = read("openai", data_events(chunk({"content": "hi"}), error))
    assert (reply.error_type, reply.is_complete) == ("server_error", False)


def test_a_whole_response_tells_its_counts_and_sizes() -> None:
    (reply,) = read("openai", compact(RESPONSE), path=RESPONSES, content_type=JSON)
    assert (reply.message_id, reply.stop_reason, reply.is_complete) == ("resp_1", "completed", True)
    assert reply.usage is not None
    assert reply.usage.prompt_tokens == 20
    assert (reply.text_bytes, reply.thinking_bytes) == (6, 3)


@pytest.mark.parametrize(
    ("status", "details", "stop"),
    [
        ("completed", None, "completed"),
        ("incomplete", {"reason": "max_output_tokens"}, "max_output_tokens"),
        ("failed", None, "failed"),
    ],
)
def test_a_streamed_response_ends_with_its_counts(status: str, details: Any, stop: str) -> None:
    begun: Json = {**RESPONSE, "status": "in_progress", "usage": None, "output": []}
    done = {**RESPONSE, "status": status, "incomplete_details": details}
    events: list[Json] = [
        {"type": "response.created", "response": begun},
        {"type": "response.output_text.delta", "item_id": "i", "delta": "héllo"},
        {"type": "response.reasoning_summary_text.delta", "item_id": "i", "delta": "hmm"},
        {"type": "response.output_text.done", "text": "héllo"},
        {"type": f"response.{status}", "response": done},
    ]
    (reply,) = read("openai", named_events(events), path=RESPONSES)
    assert (reply.stop_reason, reply.is_complete) == (stop, True)
    assert reply.usage is not None
    assert (reply.text_bytes, reply.thinking_bytes) == (6, 3)
    (broken,) = read("openai", named_events(events[:2]), path=RESPONSES, is_complete=False)
    assert (broken.message_id, broken.usage, broken.is_complete) == ("resp_1", None, False)


def test_the_older_completions_are_read() -> None:
    old = {"id": "cmpl-1", "object": "text_completion", "model": "m", "usage": chat_usage()}
    whole = {**old, "choices": [{"text": "hi", "index": 0, "finish_reason": "length"}]}
    (reply,) = read("openai", compact(whole), path="/v1/completions", content_type=JSON)
    assert (reply.usage, reply.stop_reason, reply.text_bytes) == (TOLD, "length", 2)


def test_the_output_of_a_batch_has_its_own_request_ids_and_tier() -> None:
    lines = [
        {"id": "batch_req_1", "response": {"request_id": "req_1", "body": COMPLETION}},
        {"id": "batch_req_2", "response": {"body": RESPONSE}},
        {"id": "batch_req_3", "error": {"code": "x"}, "response": None},
        {"prompt": "any other file"},
    ]
    body = b"\r\n".join(compact(line) for line in lines)
    replies = read("openai", body, path="/v1/files/file-1/content", content_type="")
    told = [(each.message_id, each.request_id, each.service_tier) for each in replies]
    assert told == [("chatcmpl-1", "req_1", "batch"), ("resp_1", "batch_req_2", "batch")]


def test_a_list_of_stored_completions_is_no_message() -> None:
    listed = {"object": "list", "data": [COMPLETION], "id": "x"}
    assert read("openai", compact(listed), content_type=JSON) == []
