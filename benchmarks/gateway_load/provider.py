"""`python -m benchmarks.gateway_load.provider`: a provider that answers at once, in OpenAI's form
and in Anthropic's, each message with an id of its own. It prints its address.

A stream sends its first event at once and `DELTAS` more, one every `GAP_SECONDS`.
"""

import asyncio
import itertools
import json
import socket
from collections.abc import AsyncIterator
from typing import Any

import uvicorn

DELTAS = 20
GAP_SECONDS = 0.002
USAGE = {"prompt_tokens": 600, "completion_tokens": 120, "total_tokens": 720}
CLAUDE_USAGE = {"input_tokens": 600, "output_tokens": 120}
TEXT = "word " * 100

_numbers = itertools.count(1)


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answer one request."""
    if scope["type"] != "http":
        return
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    is_claude = scope["path"].endswith("/messages")
    if b'"stream":true' in body.replace(b" ", b""):
        await _stream(send, claude_events() if is_claude else openai_events())
        return
    answer = json.dumps(claude_message() if is_claude else completion()).encode()
    length = str(len(answer)).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", length)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


async def _stream(send: Any, events: AsyncIterator[bytes]) -> None:
    headers = [(b"content-type", b"text/event-stream; charset=utf-8")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    async for event in events:
        await send({"type": "http.response.body", "body": event, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def completion() -> dict[str, Any]:
    """A chat completion."""
    message = {"role": "assistant", "content": TEXT, "refusal": None}
    return {
        "id": f"chatcmpl-{next(_numbers):020}",
        "object": "chat.completion",
        "created": 1_800_000_000,
        "model": "gpt-5",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": USAGE,
    }


def claude_message() -> dict[str, Any]:
    """A message."""
    return {
        "id": f"msg_{next(_numbers):020}",
        "type": "message",
        "role": "assistant",
        "model": "claude-opus-4-8",
        "content": [{"type": "text", "text": TEXT}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": CLAUDE_USAGE,
    }


async def openai_events() -> AsyncIterator[bytes]:
    """The events of a chat completion; the usage comes last."""
    name = f"chatcmpl-{next(_numbers):020}"

    def chunk(choices: list[Any], **fields: Any) -> bytes:
        value = {"id": name, "object": "chat.completion.chunk", "created": 1_800_000_000}
        value |= {"model": "gpt-5", "choices": choices, **fields}
        return b"data: " + json.dumps(value, separators=(",", ":")).encode() + b"\n\n"

    def delta(content: dict[str, str], reason: str | None = None) -> list[Any]:
        return [{"index": 0, "delta": content, "finish_reason": reason}]

    yield chunk(delta({"role": "assistant", "content": ""}), usage=None)
    for _ in range(DELTAS):
        await asyncio.sleep(GAP_SECONDS)
        yield chunk(delta({"content": "word "}), usage=None)
    yield chunk(delta({}, "stop"), usage=None)
    yield chunk([], usage=USAGE)
    yield b"data: [DONE]\n\n"


async def claude_events() -> AsyncIterator[bytes]:
    """The events of a message."""

    def event(kind: str, **fields: Any) -> bytes:
        data = json.dumps({"type": kind, **fields}, separators=(",", ":"))
        return f"event: {kind}\ndata: {data}\n\n".encode()

    begun: dict[str, Any] = {**claude_message(), "content": [], "stop_reason": None}
    yield event("message_start", message={**begun, "usage": {**CLAUDE_USAGE, "output_tokens": 1}})
    yield event("content_block_start", index=0, content_block={"type": "text", "text": ""})
    for _ in range(DELTAS):
        await asyncio.sleep(GAP_SECONDS)
        yield event("content_block_delta", index=0, delta={"type": "text_delta", "text": "word "})
    yield event("content_block_stop", index=0)
    ended = {"stop_reason": "end_turn", "stop_sequence": None}
    yield event("message_delta", delta=ended, usage={"output_tokens": 120})
    yield event("message_stop")


def main() -> None:
    """Serve until killed."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=512)
    print(f"http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off")
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
