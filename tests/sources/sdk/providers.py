"""Providers that stand in for others: what they answer is given, what they were sent is kept."""

import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any

import httpx2
from anthropic import Anthropic
from openai import OpenAI

from tests.sources.replies.streams import chat_usage, chunk, data_events, ended

Json = dict[str, Any]
Answering = Callable[[httpx2.Request], httpx2.Response]

HI: list[Any] = [{"role": "user", "content": "Hi."}]
CLAUDE: Json = {"model": "claude-opus-4-8", "max_tokens": 100, "messages": HI}
GPT: Json = {"model": "gpt-5", "messages": HI}


class Body(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """A body that is yet to come."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def __iter__(self) -> Iterator[bytes]:
        yield self._data

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._data


class Provider(httpx2.MockTransport):
    """A transport that answers by itself."""

    def __init__(self, answering: Answering) -> None:
        self.requests: list[httpx2.Request] = []
        self._answering = answering
        super().__init__(self._answered)

    def _answered(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        return self._answering(request)

    @property
    def bodies(self) -> list[Json]:
        """What it was sent."""
        return [json.loads(request.content) for request in self.requests]


def answer(
    body: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> httpx2.Response:
    """JSON, or bytes as they are."""
    is_bytes = isinstance(body, bytes)
    kind = "text/event-stream" if is_bytes else "application/json"
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx2.Response(
        status, headers={"content-type": kind, **(headers or {})}, stream=Body(data)
    )


def message(message_id: str = "msg_1") -> Json:
    """A message of Anthropic's."""
    return {
        "id": message_id,
        "type": "message",
        "role": "assistant",
        "model": "claude-opus-4-8",
        "content": [{"type": "text", "text": "Hi."}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 10, "output_tokens": 5},
    }


def completion(message_id: str = "chatcmpl-1") -> Json:
    """A completion of OpenAI's."""
    said = {"role": "assistant", "content": "Hi."}
    choice = {"index": 0, "message": said, "finish_reason": "stop"}
    head = {"id": message_id, "object": "chat.completion", "created": 1, "model": "gpt-5"}
    return {**head, "choices": [choice], "usage": chat_usage(10, 5)}


def streamed(request: httpx2.Request) -> bytes:
    """A streamed completion, with its usage if that was asked for."""
    body: Json = json.loads(request.content)
    options: Json = body.get("stream_options") or {}
    asked: bool = options.get("include_usage", False)
    usage = [chunk(usage=chat_usage(10, 5), created=1)] if asked else []
    return data_events(chunk({"content": "Hi."}, created=1), ended(created=1), *usage)


def claude(provider: httpx2.BaseTransport, host: str = "provider.example") -> Any:
    """A client of Anthropic's package before a provider."""
    http = httpx2.Client(transport=provider)
    return Anthropic(api_key="k", base_url=f"https://{host}", http_client=http, max_retries=0)


def gpt(provider: httpx2.BaseTransport, host: str = "provider.example") -> Any:
    """A client of OpenAI's package before a provider."""
    http = httpx2.Client(transport=provider)
    return OpenAI(api_key="k", base_url=f"https://{host}/v1", http_client=http, max_retries=0)
