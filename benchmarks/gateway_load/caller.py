"""A client as light as can be, so that what it measures is the server: prepared bytes on a socket
that stays open, answers read by httptools."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self, cast

import httptools

PROMPT = "Read this and say what it means. " * 60


class BadAnswerError(RuntimeError):
    """A server answered with anything but 200, or closed the connection."""


@dataclass
class Target:
    """Where to send which request: `path` under `host`:`port`, with one `key`. `answered` counts
    the answers that came whole."""

    name: str
    host: str
    port: int
    path: str
    key: str
    answered: int = 0

    def request(self, *, is_stream: bool = False) -> bytes:
        """The bytes of one request."""
        stream = ',"stream":true' if is_stream else ""
        claude = self.path.endswith("/messages")
        model = '"claude-opus-4-8","max_tokens":1000' if claude else '"gpt-5"'
        messages = f'[{{"role":"user","content":"{PROMPT}"}}]'
        body = f'{{"model":{model},"messages":{messages}{stream}}}'.encode()
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            f"Authorization: Bearer {self.key}\r\nAccept: application/json\r\n"
            "User-Agent: gateway-benchmark\r\n\r\n"
        )
        return head.encode() + body


@dataclass
class _Answer:
    ended: "asyncio.Future[None]"
    first_byte_at: float = 0.0
    body: bytearray = field(default_factory=bytearray)


class Connection(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._answer: _Answer | None = None
        self._transport: asyncio.Transport | None = None
        self._parser: Any = httptools.HttpResponseParser(self)

    @classmethod
    async def open(cls, target: Target) -> Self:
        """Connect."""
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(lambda: cls(target), target.host, target.port)
        return connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer and not self._answer.ended.done():
            self._answer.ended.set_exception(BadAnswerError("the connection was closed"))

    def on_body(self, body: bytes) -> None:
        """Called by the parser."""
        assert self._answer is not None
        self._answer.first_byte_at = self._answer.first_byte_at or time.perf_counter()
        self._answer.body += body

    def on_message_complete(self) -> None:
        """Called by the parser."""
        assert self._answer is not None
        status = self._parser.get_status_code()
        if status == 200:
            self._answer.ended.set_result(None)
        else:
            text = bytes(self._answer.body[:300]).decode(errors="replace")
            self._answer.ended.set_exception(BadAnswerError(f"status {status}: {text}"))
        self._parser = httptools.HttpResponseParser(self)

    async def ask(self, request: bytes) -> tuple[float, float]:
        """Seconds to the first byte of the body, and to its end.

        Raises:
            BadAnswerError: it was not answered with 200.
        """
        assert self._transport is not None
        self._answer = _Answer(asyncio.get_running_loop().create_future())
        began = time.perf_counter()
        self._transport.write(request)
        await self._answer.ended
        self._target.answered += 1
        return self._answer.first_byte_at - began, time.perf_counter() - began

    def close(self) -> None:
        """Close the connection."""
        if self._transport:
            self._transport.close()


async def throughput(target: Target, in_flight: int, seconds: float) -> float:
    """Requests a second, with so many in flight."""
    connections = [await Connection.open(target) for _ in range(in_flight)]
    request = target.request()
    began = time.perf_counter()
    until = began + seconds

    async def ask(connection: Connection) -> int:
        done = 0
        while time.perf_counter() < until:
            await connection.ask(request)
            done += 1
        return done

    counts = await asyncio.gather(*map(ask, connections))
    took = time.perf_counter() - began
    for connection in connections:
        connection.close()
    return sum(counts) / took


async def alternating(
    targets: list[Target], count: int, *, is_stream: bool, take: Callable[[float, float], float]
) -> dict[str, list[float]]:
    """`count` requests to each of the targets in turn, one at a time: what `take` makes of the
    seconds to the first byte and to the end."""
    connections = {target.name: await Connection.open(target) for target in targets}
    requests = {target.name: target.request(is_stream=is_stream) for target in targets}
    found: dict[str, list[float]] = {target.name: [] for target in targets}
    for _ in range(count):
        for name, connection in connections.items():
            found[name].append(take(*await connection.ask(requests[name])))
    for connection in connections.values():
        connection.close()
    return found
