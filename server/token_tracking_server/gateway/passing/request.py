"""A request as it came in."""

import asyncio
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final
from urllib.parse import unquote

from msgspec import Struct

from token_tracking_server.gateway.errors import (
    BadRequestError,
    BodyTooLargeError,
    SlowRequestError,
)
from token_tracking_server.gateway.exchanges.values import Headers

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Scope = MutableMapping[str, Any]


_DOT_SEGMENT: Final = re.compile(r"[/\\]\.{1,2}(?:[/\\;]|$)")


class CallerGoneError(Exception):
    """The caller went away before the whole request had come."""


class Request(Struct, frozen=True):
    """`path` is percent-encoded as it came."""

    method: str
    path: str
    query: str
    headers: Headers
    body: bytes


async def read_request(
    scope: Scope, receive: Receive, *, path: str, most_bytes: int, seconds: float
) -> Request:
    """The whole request; `path` is where it goes.

    Raises:
        BadRequestError: its path leads elsewhere.
        BodyTooLargeError: its body has more than `most_bytes`.
        SlowRequestError: its body did not come within `seconds`.
        CallerGoneError: it never came whole.
    """
    _require_downward(path)
    headers: Headers = scope["headers"]
    for name, value in headers:
        if name == b"content-length" and value.isdigit() and int(value) > most_bytes:
            raise _too_large(most_bytes)
    try:
        async with asyncio.timeout(seconds):
            body = await _body(receive, most_bytes)
    except TimeoutError:
        raise SlowRequestError(f"The request did not come within {seconds:g} seconds.") from None
    query = scope["query_string"].decode("latin-1")
    return Request(scope["method"], path, query, headers, body)


def _require_downward(path: str) -> None:
    """Dot segments would lead out of the base URL, with the key that is meant for what is in it:
    to some servers also where they are percent-encoded, or set off by a backslash."""
    if ("." in path or "%" in path) and _DOT_SEGMENT.search(unquote(path)):
        raise BadRequestError("Paths with the segments . and .. are not passed on.")


async def _body(receive: Receive, most_bytes: int) -> bytes:
    chunks: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise CallerGoneError
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > most_bytes:
            raise _too_large(most_bytes)
        more = message.get("more_body", False)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _too_large(most_bytes: int) -> BodyTooLargeError:
    return BodyTooLargeError(
        f"The request is larger than {most_bytes:,} bytes, the gateway's max_body_bytes."
    )
