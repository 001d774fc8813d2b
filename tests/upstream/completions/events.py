"""A chat completion as the chunks of a stream."""

import json
from collections.abc import Iterator
from typing import Any

from tests.upstream.completions.dialects import Dialect
from tests.upstream.events import CHUNK
from tests.upstream.values import Json, objects

DONE = b"data: [DONE]\n\n"


def encoded(chunk: Json) -> bytes:
    """A chunk as it is sent."""
    return f"data: {json.dumps(chunk, separators=(',', ':'), ensure_ascii=False)}\n\n".encode()


def _pieces(text: str) -> Iterator[str]:
    for place in range(0, len(text), CHUNK):
        yield text[place : place + CHUNK]


def _call_deltas(index: int, call: Json) -> Iterator[Json]:
    name, arguments = call["function"]["name"], call["function"]["arguments"]
    begun = {"name": name, "arguments": ""}
    yield {"index": index, "id": call["id"], "type": "function", "function": begun}
    for piece in _pieces(arguments):
        yield {"index": index, "function": {"arguments": piece}}


def _deltas(message: Json) -> Iterator[Json]:
    text, calls = message["content"], objects(message.get("tool_calls"))
    yield {"role": "assistant", "content": None if text is None else "", "refusal": None}
    for piece in _pieces(text or ""):
        yield {"content": piece}
    for index, call in enumerate(calls):
        for delta in _call_deltas(index, call):
            yield {"tool_calls": [delta]}


def _base(whole: Json) -> Json:
    names = ("id", "created", "model", "service_tier", "system_fingerprint")
    base = {name: whole[name] for name in names if name in whole}
    return {"id": base.pop("id"), "object": "chat.completion.chunk", **base}


def openai_chunks(whole: Json, *, tells_usage: bool) -> Iterator[Json]:
    """OpenAI's: the usage in a chunk of its own without choices, and null in all the others."""
    base, choice = _base(whole), whole["choices"][0]
    untold: Json = {"usage": None} if tells_usage else {}
    deltas: list[tuple[Json, str | None]] = [(delta, None) for delta in _deltas(choice["message"])]
    for number, (delta, reason) in enumerate([*deltas, ({}, choice["finish_reason"])]):
        one: Json = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        yield {**base, "choices": [one], **untold, "obfuscation": "x" * (number % 7)}
    if tells_usage:
        yield {**base, "choices": [], "usage": whole["usage"], "obfuscation": ""}


def groq_chunks(whole: Json, *, tells_usage: bool) -> Iterator[Json]:
    """Groq's: the usage always stands in the last chunk's `x_groq`; OpenAI's chunk comes as well,
    where it was asked for."""
    base, choice = _base(whole), whole["choices"][0]
    told: Json = {"x_groq": {"id": whole["x_groq"]["id"]}}
    for delta in _deltas(choice["message"]):
        delta.pop("refusal", None)
        one: Json = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}
        yield {**base, "choices": [one], **told}
        told = {}
    ended: Json = {"index": 0, "delta": {}, "logprobs": None}
    ended["finish_reason"] = choice["finish_reason"]
    usage = {"x_groq": {"id": whole["x_groq"]["id"], "usage": whole["usage"]}}
    yield {**base, "choices": [ended], **usage}
    if tells_usage:
        yield {**base, "choices": [], "usage": whole["usage"]}


def gemini_chunks(whole: Json, *, tells_usage: bool) -> Iterator[Json]:
    """Gemini's: where usage is asked for it stands in every chunk, as it is so far. Keys are in
    the alphabet's order, and a call comes whole."""
    message, reason = whole["choices"][0]["message"], whole["choices"][0]["finish_reason"]
    deltas: list[Json] = [{"content": piece} for piece in _pieces(message["content"] or "")]
    calls: list[dict[str, Any]] = objects(message.get("tool_calls"))
    if calls:
        deltas.append({"tool_calls": [{**call, "index": n} for n, call in enumerate(calls)]})
    for number, delta in enumerate(deltas or [{"content": ""}], 1):
        is_last = number >= len(deltas)
        ended: Json = {"finish_reason": reason} if is_last else {}
        choice: Json = {"delta": {**delta, "role": "assistant"}, **ended, "index": 0}
        chunk = {**_base(whole), "choices": [choice]}
        if tells_usage:
            chunk["usage"] = whole["usage"] if is_last else _so_far(whole["usage"], number)
        yield dict(sorted(chunk.items()))


def _so_far(usage: Json, number: int) -> Json:
    completion = min(number, usage["completion_tokens"])
    hidden = usage["total_tokens"] - usage["prompt_tokens"] - usage["completion_tokens"]
    total = usage["prompt_tokens"] + completion + hidden
    return {**usage, "completion_tokens": completion, "total_tokens": total}


_CHUNKS = {"openai": openai_chunks, "groq": groq_chunks, "gemini": gemini_chunks}


def chunks_of(whole: Json, dialect: Dialect, *, tells_usage: bool) -> Iterator[Json]:
    """The chunks of a whole completion, before `DONE`."""
    return _CHUNKS[dialect](whole, tells_usage=tells_usage)
