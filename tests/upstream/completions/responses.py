"""OpenAI's Responses API, as far as a text and its usage."""

import json
from collections.abc import Iterator

from tests.upstream.answers import new_id
from tests.upstream.completions.answers import CREATED, output_tokens
from tests.upstream.counting import block_tokens
from tests.upstream.events import CHUNK
from tests.upstream.scripts import Answer
from tests.upstream.values import Json, blocks, objects


def _prompt_tokens(request: Json) -> int:
    given = request.get("input")
    items = [{"content": given}] if isinstance(given, str) else objects(given)
    parts = [part for item in items for part in blocks(item.get("content"))]
    parts += blocks(request.get("instructions") or "")
    return sum(block_tokens({**part, "type": "text"}) for part in parts if "text" in part)


def response_of(request: Json, answer: Answer) -> Json:
    """The whole response."""
    visible, reasoning = output_tokens(answer)
    prompt = _prompt_tokens(request)
    text: Json = {"type": "output_text", "text": answer.text, "annotations": [], "logprobs": []}
    message: Json = {
        "type": "message",
        "id": new_id("item"),
        "status": "completed",
        "role": "assistant",
        "content": [text],
    }
    usage = {
        "input_tokens": prompt,
        "input_tokens_details": {"cached_tokens": answer.cached_tokens, "cache_write_tokens": 0},
        "output_tokens": visible + reasoning,
        "output_tokens_details": {"reasoning_tokens": reasoning},
        "total_tokens": prompt + visible + reasoning,
    }
    return {
        "id": new_id("resp"),
        "object": "response",
        "created_at": CREATED,
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "instructions": request.get("instructions"),
        "model": request["model"],
        "output": [message],
        "parallel_tool_calls": True,
        "service_tier": "default",
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": usage,
    }


def encoded(event: Json) -> bytes:
    """An event as it is sent."""
    return f"event: {event['type']}\ndata: {json.dumps(event, separators=(',', ':'))}\n\n".encode()


def events_of(whole: Json) -> Iterator[Json]:
    """The events of a whole response; only the last one tells the usage."""
    for number, event in enumerate(_events(whole)):
        yield {**event, "sequence_number": number}


def _events(whole: Json) -> Iterator[Json]:
    begun: Json = {
        **whole,
        "status": "in_progress",
        "output": [],
        "usage": None,
        "service_tier": "auto",
    }
    item = whole["output"][0]
    part = item["content"][0]
    at: Json = {"item_id": item["id"], "output_index": 0, "content_index": 0}
    empty: Json = {**item, "status": "in_progress", "content": []}
    yield {"type": "response.created", "response": begun}
    yield {"type": "response.in_progress", "response": begun}
    yield {"type": "response.output_item.added", "output_index": 0, "item": empty}
    yield {"type": "response.content_part.added", **at, "part": {**part, "text": ""}}
    text = part["text"]
    for place in range(0, len(text), CHUNK):
        piece = text[place : place + CHUNK]
        yield {"type": "response.output_text.delta", **at, "delta": piece, "logprobs": []}
    yield {"type": "response.output_text.done", **at, "text": text, "logprobs": []}
    yield {"type": "response.content_part.done", **at, "part": part}
    yield {"type": "response.output_item.done", "output_index": 0, "item": item}
    yield {"type": "response.completed", "response": whole}
