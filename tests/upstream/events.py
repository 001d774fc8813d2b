"""A message as the events of a stream, in the API's order."""

import json
from collections.abc import Iterator
from typing import Any

from tests.upstream.counting import compact
from tests.upstream.values import Json, objects

CHUNK = 24
"""Characters in one delta."""


def encoded(event: Json) -> bytes:
    """An event as it is sent."""
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


def events_of(message: Json) -> Iterator[Json]:
    """The events of a whole message."""
    yield _start(message)
    for index, block in enumerate(objects(message["content"])):
        begun = {"type": "content_block_start", "index": index, "content_block": _empty(block)}
        yield begun
        if index == 0:
            yield {"type": "ping"}
        for delta in _deltas(block):
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    yield _end(message)
    yield {"type": "message_stop"}


def _start(message: Json) -> Json:
    # What edits and compactions did is told at the end.
    later = ("iterations", "context_management")
    usage = {name: value for name, value in message["usage"].items() if name not in later}
    begun = {name: value for name, value in message.items() if name not in later}
    started: Json = {"content": [], "stop_reason": None, "stop_sequence": None}
    usage["output_tokens"] = min(1, usage["output_tokens"])
    return {"type": "message_start", "message": {**begun, **started, "usage": usage}}


def _end(message: Json) -> Json:
    names = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens",
             "output_tokens", "iterations")  # fmt: skip
    usage = {name: message["usage"][name] for name in names if name in message["usage"]}
    delta = {"stop_reason": message["stop_reason"], "stop_sequence": message["stop_sequence"]}
    event = {"type": "message_delta", "delta": delta, "usage": usage}
    if "context_management" in message:
        event["context_management"] = message["context_management"]
    return event


def _empty(block: Json) -> Json:
    begun: dict[str, dict[str, Any]] = {
        "text": {"text": ""},
        "thinking": {"thinking": "", "signature": ""},
        "tool_use": {"input": {}},
        "compaction": {"content": None},
    }
    return {**block, **begun[block["type"]]}


def _pieces(text: str) -> Iterator[str]:
    for place in range(0, len(text), CHUNK):
        yield text[place : place + CHUNK]


def _deltas(block: Json) -> Iterator[Json]:
    match block["type"]:
        case "text":
            for piece in _pieces(block["text"]):
                yield {"type": "text_delta", "text": piece}
        case "thinking":
            for piece in _pieces(block["thinking"]):
                yield {"type": "thinking_delta", "thinking": piece}
            yield {"type": "signature_delta", "signature": block["signature"]}
        case "tool_use":
            # The first one is empty.
            yield {"type": "input_json_delta", "partial_json": ""}
            for piece in _pieces(compact(block["input"])):
                yield {"type": "input_json_delta", "partial_json": piece}
        case _:
            yield {"type": "compaction_delta", "content": block["content"]}


def stream_of(message: Json, breaks_after: int | None = None) -> Iterator[bytes]:
    """The events of a stream; after `breaks_after` of them it ends with an error of the server."""
    for number, event in enumerate(events_of(message)):
        if number == breaks_after:
            error = {"type": "overloaded_error", "message": "Overloaded"}
            yield encoded({"type": "error", "error": error})
            return
        yield encoded(event)
