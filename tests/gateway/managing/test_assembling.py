"""The assistant's message is put together from any response, or is known not to be there."""

import gzip
import json
import zlib
from collections.abc import Iterable
from typing import Any

import pytest

from token_tracking_server.gateway.managing.assembling import AnswerReader, Assembled

JSON = (b"content-type", b"application/json")
EVENTS = (b"content-type", b"text/event-stream; charset=utf-8")


def stream(events: Iterable[Any]) -> bytes:
    said = [each if isinstance(each, str) else json.dumps(each) for each in events]
    return "".join(f"data: {each}\r\n\r\n" for each in said).encode()


def read(
    form: Any, data: bytes, kind: tuple[bytes, bytes], *, status: int = 200, size: int = 7
) -> Assembled | None:
    reader = AnswerReader(form, status, [kind])
    for start in range(0, len(data), size):
        reader.feed(data[start : start + size])
    return reader.finish()


def starts(index: int, kind: str, **fields: Any) -> dict[str, Any]:
    return {
        "type": "content_block_start",
        "index": index,
        "content_block": {"type": kind, **fields},
    }


def adds(index: int, kind: str, **fields: Any) -> dict[str, Any]:
    delta = {"type": f"{kind}_delta", **fields}
    return {"type": "content_block_delta", "index": index, "delta": delta}


ANTHROPIC: list[dict[str, Any]] = [
    {"type": "message_start", "message": {"id": "msg_1", "content": []}},
    starts(0, "thinking", thinking=""),
    {"type": "ping"},
    adds(0, "thinking", thinking="h"),
    adds(0, "thinking", thinking="m"),
    adds(0, "signature", signature="S"),
    {"type": "content_block_stop", "index": 0},
    starts(1, "text", text=""),
    adds(1, "text", text="Grüße "),
    adds(1, "text", text="🌍"),
    adds(1, "citations", citation={"n": 1}),
    starts(2, "tool_use", id="t", name="f", input={}),
    adds(2, "input_json", partial_json='{"a":'),
    adds(2, "input_json", partial_json=" 1}"),
    starts(3, "tool_use", id="u", name="g", input={}),
    {"type": "content_block_stop", "index": 3},
    {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 9}},
    {"type": "message_stop"},
]

ASSEMBLED: list[dict[str, Any]] = [
    {"type": "thinking", "thinking": "hm", "signature": "S"},
    {"type": "text", "text": "Grüße 🌍", "citations": [{"n": 1}]},
    {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}},
    {"type": "tool_use", "id": "u", "name": "g", "input": {}},
]


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_anthropics_events_become_the_message(size: int) -> None:
    found = read("anthropic", stream(ANTHROPIC), EVENTS, size=size)
    assert found == Assembled({"role": "assistant", "content": ASSEMBLED}, "tool_use")


def test_a_stream_is_whole_with_its_last_event_and_no_sooner() -> None:
    reader = AnswerReader("anthropic", 200, [EVENTS])
    reader.feed(stream(ANTHROPIC[:-1]))
    assert not reader.is_whole
    assert reader.finish() is None
    reader.feed(stream(ANTHROPIC[-1:]))
    assert reader.is_whole


def test_a_call_that_was_cut_within_its_arguments_is_left_out() -> None:
    events = [each for each in ANTHROPIC if each.get("delta", {}).get("partial_json") != " 1}"]
    found = read("anthropic", stream(events), EVENTS)
    assert found is not None
    assert found.message is not None
    assert [block.get("id") for block in found.message["content"]] == [None, None, "u"]


def test_blank_texts_are_left_out_and_nothing_else_is_nothing() -> None:
    body = {
        "type": "message",
        "content": [{"type": "text", "text": " \n"}],
        "stop_reason": "end_turn",
    }
    assert read("anthropic", json.dumps(body).encode(), JSON) == Assembled(None, "end_turn")


def test_a_refusal_is_told() -> None:
    body = {
        "type": "message",
        "content": [{"type": "text", "text": "No"}],
        "stop_reason": "refusal",
    }
    found = read("anthropic", json.dumps(body).encode(), JSON)
    assert found is not None
    assert found.is_refused


def says(index: int = 0, finish_reason: str | None = None, **delta: Any) -> dict[str, Any]:
    return {"choices": [{"index": index, "delta": delta, "finish_reason": finish_reason}]}


def calls(**fields: Any) -> dict[str, Any]:
    return says(tool_calls=[{"index": 0, **fields}])


SIGNED = {"google": {"thought_signature": "S"}}

CHUNKS: list[dict[str, Any]] = [
    says(role="assistant", content=""),
    says(1, content="another choice"),
    says(content="Hi", reasoning_content="hm"),
    calls(id="c", type="function", function={"name": "f", "arguments": ""}, extra_content=SIGNED),
    calls(function={"arguments": '{"a"'}),
    calls(function={"name": None, "arguments": ": 1}"}),
    says(finish_reason="tool_calls"),
    {"choices": [], "usage": {"prompt_tokens": 1}},
]

CALL = {
    "id": "c",
    "type": "function",
    "extra_content": SIGNED,
    "function": {"name": "f", "arguments": '{"a": 1}'},
}


@pytest.mark.parametrize("size", [1, 9, 100_000])
def test_openais_chunks_become_the_message(size: int) -> None:
    found = read("openai", stream([*CHUNKS, "[DONE]"]), EVENTS, size=size)
    message = {"role": "assistant", "content": "Hi", "tool_calls": [CALL]}
    assert found == Assembled(message, "tool_calls")


def test_a_stream_without_done_has_its_message_at_its_end() -> None:
    reader = AnswerReader("openai", 200, [EVENTS])
    reader.feed(stream(CHUNKS))
    assert not reader.is_whole
    assert reader.finish() is not None


def test_a_stream_without_a_reason_to_stop_has_none() -> None:
    assert read("openai", stream([*CHUNKS[:-2], "[DONE]"]), EVENTS) is None


def test_calls_without_an_index_are_calls_of_their_own() -> None:
    two = [{"id": name, "function": {"name": name, "arguments": "{}"}} for name in ("a", "b")]
    events: list[Any] = [
        {"choices": [{"delta": {"tool_calls": two}}]},
        {"choices": [{"delta": {}, "finish_reason": "tool_calls"}]},
        "[DONE]",
    ]
    found = read("openai", stream(events), EVENTS)
    assert found is not None
    assert found.message is not None
    assert [call["id"] for call in found.message["tool_calls"]] == ["a", "b"]


def test_of_a_whole_message_only_what_is_taken_back_is_kept() -> None:
    said: dict[str, Any] = {
        "role": "assistant",
        "content": "Hi",
        "refusal": None,
        "annotations": [],
        "reasoning_content": "hm",
        "audio": {"id": "audio_1", "data": "AAAA"},
    }
    body = {"choices": [{"message": said, "finish_reason": "stop"}]}
    found = read("openai", json.dumps(body).encode(), JSON)
    wanted = {"role": "assistant", "content": "Hi", "audio": {"id": "audio_1"}}
    assert found == Assembled(wanted, "stop")


@pytest.mark.parametrize(
    ("coding", "encoded"),
    [
        (b"gzip", gzip.compress(stream(ANTHROPIC))),
        (b"deflate", zlib.compress(stream(ANTHROPIC))),
        (b"identity", stream(ANTHROPIC)),
    ],
)
def test_a_compressed_stream_is_read(coding: bytes, encoded: bytes) -> None:
    reader = AnswerReader("anthropic", 200, [EVENTS, (b"content-encoding", coding)])
    for start in range(0, len(encoded), 5):
        reader.feed(encoded[start : start + 5])
    found = reader.finish()
    assert found is not None
    assert found.message == {"role": "assistant", "content": ASSEMBLED}


@pytest.mark.parametrize("coding", [b"br", b"gzip"])
def test_what_cannot_be_decoded_has_no_message(coding: bytes) -> None:
    reader = AnswerReader("anthropic", 200, [JSON, (b"content-encoding", coding)])
    reader.feed(b'{"type": "message", "content": []}')
    assert reader.finish() is None


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"null",
        b"[1]",
        b"{",
        b'{"type": "message"}',
        b'{"type": "message", "content": "text"}',
        b'{"choices": {}}',
        b'{"choices": []}',
        b'{"choices": [3]}',
        b'{"choices": [{"message": null}]}',
        b"[" * 100_000,
    ],
)
@pytest.mark.parametrize("form", ["anthropic", "openai"])
def test_garbage_has_no_message_and_raises_nothing(form: Any, said: bytes) -> None:
    assert read(form, said, JSON, size=1000) is None
    assert read(form, b"data: " + said + b"\n\n", EVENTS, size=1000) is None


@pytest.mark.parametrize(
    "event",
    [
        {"type": "content_block_start", "index": "x", "content_block": 3},
        {"type": "content_block_delta", "index": 0, "delta": None},
        {"type": "content_block_delta", "index": 9, "delta": {"type": "text_delta", "text": "x"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": 3}},
        {"choices": [{"index": 0, "delta": {"tool_calls": [3, {"index": None, "function": 3}]}}]},
        {"choices": [None, {"delta": 3}]},
    ],
)
def test_an_event_that_is_none_is_passed_over(event: Any) -> None:
    first = read("anthropic", stream([event, *ANTHROPIC]), EVENTS)
    assert first is not None
    assert first.message == {"role": "assistant", "content": ASSEMBLED}
    read("openai", stream([event, *CHUNKS, "[DONE]"]), EVENTS)


@pytest.mark.parametrize("status", [400, 429, 529])
def test_an_error_has_no_message(status: int) -> None:
    assert read("anthropic", stream(ANTHROPIC), EVENTS, status=status) is None
