"""Bodies of responses, small but in the providers' own shapes, and ways to read them."""

import json
from collections.abc import Iterable
from typing import Any

from token_tracking.sources.replies import Form, Reply, reader_for

Json = dict[str, Any]

SSE = "text/event-stream; charset=utf-8"
JSON = "application/json"

MESSAGES = "/v1/messages"
CHAT = "/v1/chat/completions"
RESPONSES = "/v1/responses"


def compact(value: object) -> bytes:
    """JSON as servers write it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def anthropic_usage(**counts: Any) -> Json:
    """The usage at the beginning of a stream."""
    return {"input_tokens": 12, "output_tokens": 1, "service_tier": "standard", **counts}


def anthropic_events(*, text: str = "héllo", **end: Any) -> list[Json]:
    """The events of a streamed message; `end` is the usage of its `message_delta`."""
    message: Json = {
        "id": "msg_01",
        "type": "message",
        "role": "assistant",
        "model": "claude-opus-4-6",
        "content": [],
        "stop_reason": None,
        "usage": anthropic_usage(),
    }
    return [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "text_delta", "text": text},
        },
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": 40, **end},
        },
        {"type": "message_stop"},
    ]


def named_events(events: Iterable[Json], line_end: str = "\n") -> bytes:
    """Events with their names, as Anthropic and the Responses API send them."""
    lines = [
        f"event: {event['type']}{line_end}data: {compact(event).decode()}{line_end}{line_end}"
        for event in events
    ]
    return "".join(lines).encode()


def chunk(delta: Json | None = None, **fields: Any) -> Json:
    """A chunk of a streamed chat completion; without `delta` it has no choices."""
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": None}]
    base = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "gpt-5"}
    return {**base, "choices": choices, **fields}


def ended(reason: str = "stop", **fields: Any) -> Json:
    """The chunk that ends the text of a completion."""
    choices: list[Json] = [{"index": 0, "delta": {}, "finish_reason": reason}]
    return {**chunk(), "choices": choices, **fields}


def chat_usage(prompt: int = 20, completion: int = 7, **more: Any) -> Json:
    """The usage of a chat completion."""
    counts = {"prompt_tokens": prompt, "completion_tokens": completion}
    return {**counts, "total_tokens": prompt + completion, **more}


def data_events(*chunks: Json) -> bytes:
    """Events without names, and the end that OpenAI sends."""
    parts = [b"data: " + compact(each) + b"\n\n" for each in chunks]
    return b"".join([*parts, b"data: [DONE]\n\n"])


def read(
    form: Form,
    body: bytes | Iterable[bytes],
    *,
    path: str = "",
    content_type: str = SSE,
    content_encoding: str = "",
    is_complete: bool = True,
) -> list[Reply]:
    """What a body tells; the path is by default that of the form's messages."""
    reader = reader_for(
        form,
        path=path or (MESSAGES if form == "anthropic" else CHAT),
        status=200,
        content_type=content_type,
        content_encoding=content_encoding,
    )
    assert reader is not None
    for piece in [body] if isinstance(body, bytes) else body:
        reader.feed(piece)
    return reader.finish(is_complete=is_complete)


def cut(data: bytes, places: Iterable[int]) -> list[bytes]:
    """The bytes in pieces, cut at these places."""
    ordered = sorted({place % (len(data) + 1) for place in places})
    return [data[a:b] for a, b in zip([0, *ordered], [*ordered, len(data)], strict=True)]
