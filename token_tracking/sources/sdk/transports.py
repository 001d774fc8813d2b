"""Transports that read responses along: around those that an HTTP client has."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx2

from token_tracking.sources.replies import refuses_usage
from token_tracking.sources.sdk.watching import Bytes, Watch, Watching


class SyncTracked(httpx2.BaseTransport):
    """Around a sync transport, for one request."""

    def __init__(self, inner: httpx2.BaseTransport, watching: Watching) -> None:
        self._inner = inner
        self._watching = watching

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request; its response is read along."""
        watch = self._watching.watch(request)
        if watch is None:
            return self._inner.handle_request(request)
        asking = watch.asking(request)
        response = self._inner.handle_request(asking or request)
        if asking is not None and watch.may_refuse(response):
            body = _content(response)
            if body is None:
                body = b"".join(response.iter_raw())
                response.close()
                response = _again(response, body)
            if refuses_usage(response.status_code, body):
                response, asking = self._inner.handle_request(request), None
                watch.went_without(response.status_code)
        return _read_along(response, watch, was_asked=asking is not None, kind=_SyncBytes)


class AsyncTracked(httpx2.AsyncBaseTransport):
    """Around an async transport, for one request."""

    def __init__(self, inner: httpx2.AsyncBaseTransport, watching: Watching) -> None:
        self._inner = inner
        self._watching = watching

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request; its response is read along."""
        watch = self._watching.watch(request)
        if watch is None:
            return await self._inner.handle_async_request(request)
        asking = watch.asking(request)
        response = await self._inner.handle_async_request(asking or request)
        if asking is not None and watch.may_refuse(response):
            body = _content(response)
            if body is None:
                body = b"".join([chunk async for chunk in response.aiter_raw()])
                await response.aclose()
                response = _again(response, body)
            if refuses_usage(response.status_code, body):
                response, asking = await self._inner.handle_async_request(request), None
                watch.went_without(response.status_code)
        return _read_along(response, watch, was_asked=asking is not None, kind=_AsyncBytes)


def _content(response: httpx2.Response) -> bytes | None:
    """The body of a response that was made whole, by a stand-in for a server: decoded, and nobody
    reads its stream. `None` where it is yet to come."""
    return getattr(response, "_content", None)


def _read_along(
    response: httpx2.Response,
    watch: Watch,
    *,
    was_asked: bool,
    kind: "type[_SyncBytes | _AsyncBytes]",
) -> httpx2.Response:
    content = _content(response)
    passing = watch.bytes_of(response, was_asked=was_asked, is_decoded=content is not None)
    if passing is None:
        return response
    if content is not None:
        shown = passing.passed(content) + passing.ended()
        return response if shown == content else _shown(response, shown)
    response.stream = kind(response.stream, passing)
    return response


def _again(response: httpx2.Response, body: bytes) -> httpx2.Response:
    """A response whose body was read, as it was before."""
    return httpx2.Response(
        response.status_code,
        headers=response.headers,
        stream=httpx2.ByteStream(body),
        extensions=response.extensions,
    )


def _shown(response: httpx2.Response, content: bytes) -> httpx2.Response:
    """A whole response with another content."""
    headers = response.headers.copy()
    headers.pop("content-length", None)
    return httpx2.Response(
        response.status_code, headers=headers, content=content, extensions=response.extensions
    )


class _SyncBytes(httpx2.SyncByteStream):
    def __init__(self, inner: Any, passing: Bytes) -> None:
        self._inner = inner
        self._passing = passing

    def __iter__(self) -> Iterator[bytes]:
        for data in self._inner:
            passed = self._passing.passed(data)
            if passed:
                yield passed
        rest = self._passing.ended()
        if rest:
            yield rest

    def close(self) -> None:
        self._passing.close()
        self._inner.close()


class _AsyncBytes(httpx2.AsyncByteStream):
    def __init__(self, inner: Any, passing: Bytes) -> None:
        self._inner = inner
        self._passing = passing

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for data in self._inner:
            passed = self._passing.passed(data)
            if passed:
                yield passed
        rest = self._passing.ended()
        if rest:
            yield rest

    async def aclose(self) -> None:
        self._passing.close()
        await self._inner.aclose()
