"""Transports that read responses along: around those that a client has."""

from collections.abc import AsyncIterator, Iterator
from types import TracebackType
from typing import Any, Self

import httpx2

from token_tracking.sources.sdk.watching import Bytes, Watching


class Tracked:
    """What both have in common. `watching` says what is done; what else is asked of a transport is
    asked of the one inside."""

    def __init__(self, inner: Any, watching: Watching) -> None:
        self._inner = inner
        self.watching = watching

    def __getattr__(self, name: str) -> Any:
        # Not for special names: what copies or pickles would ask before there is one inside.
        if name.startswith("__") or "_inner" not in self.__dict__:
            raise AttributeError(name)
        return getattr(self._inner, name)


class SyncTracked(Tracked, httpx2.BaseTransport):
    """Around a sync transport."""

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request; its response is read along."""
        watch = self.watching.watch(request)
        if watch is None:
            return self._inner.handle_request(request)
        asking = self.watching.asking(request)
        response: httpx2.Response = self._inner.handle_request(asking or request)
        if asking is not None and self.watching.may_refuse(response):
            body = b"".join(response.iter_raw())
            response.close()
            if self.watching.was_refused(request, response, body):
                response, asking = self._inner.handle_request(request), None
            else:
                response = _again(response, body)
        passing = watch.bytes_of(response, was_asked=asking is not None)
        if passing is not None and not _was_read(response, passing):
            response.stream = _SyncBytes(response.stream, passing)
        return response

    def close(self) -> None:
        self._inner.close()

    def __enter__(self) -> Self:
        self._inner.__enter__()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self._inner.__exit__(exc_type, exc_value, traceback)


class AsyncTracked(Tracked, httpx2.AsyncBaseTransport):
    """Around an async transport."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request; its response is read along."""
        watch = self.watching.watch(request)
        if watch is None:
            return await self._inner.handle_async_request(request)
        asking = self.watching.asking(request)
        response: httpx2.Response = await self._inner.handle_async_request(asking or request)
        if asking is not None and self.watching.may_refuse(response):
            body = b"".join([chunk async for chunk in response.aiter_raw()])
            await response.aclose()
            if self.watching.was_refused(request, response, body):
                response, asking = await self._inner.handle_async_request(request), None
            else:
                response = _again(response, body)
        passing = watch.bytes_of(response, was_asked=asking is not None)
        if passing is not None and not _was_read(response, passing):
            response.stream = _AsyncBytes(response.stream, passing)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def __aenter__(self) -> Self:
        await self._inner.__aenter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self._inner.__aexit__(exc_type, exc_value, traceback)


def _was_read(response: httpx2.Response, passing: Bytes) -> bool:
    """A response that was made whole, by a stand-in for a server: nobody reads its stream."""
    content: bytes | None = getattr(response, "_content", None)
    if content is None:
        return False
    passing.passed(content)
    passing.ended()
    return True


def _again(response: httpx2.Response, body: bytes) -> httpx2.Response:
    """A response whose body was read, as it was before."""
    return httpx2.Response(
        response.status_code,
        headers=response.headers,
        stream=httpx2.ByteStream(body),
        extensions=response.extensions,
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
