"""A response's body on its way to the caller."""

import time
from collections.abc import Callable

from token_tracking.sources.replies import Reading, UsageHider
from token_tracking_server.gateway.errors import UpstreamBrokeError, UpstreamTimeoutError
from token_tracking_server.gateway.upstreams.client import ReadResponse, Response


class Body:
    """The chunks of a body as they arrive, read along. What it told is recorded before the last
    chunk is handed on: who has the whole answer can rely on it. `broke` says how it broke off;
    `over` is called once, at its end or where it was left."""

    def __init__(
        self,
        response: Response | ReadResponse,
        reading: Reading,
        hider: UsageHider | None,
    ) -> None:
        self._response = response
        self._reading = reading
        self._hider = hider
        self.over: Callable[[bool, float | None], None] | None = None
        self._first_at: float | None = None
        self._is_over = False
        self.broke: UpstreamBrokeError | UpstreamTimeoutError | None = None

    def __aiter__(self) -> "Body":
        return self

    async def __anext__(self) -> bytes:
        while not self._is_over:
            try:
                chunk = await self._response.next()
            except (UpstreamBrokeError, UpstreamTimeoutError) as error:
                return self._held(error)
            if self._first_at is None and chunk:
                self._first_at = time.perf_counter()
            self._reading.feed(chunk)
            if not chunk or self._response.is_at_end:
                self._end(is_complete=True)
            if self._hider is not None:
                chunk = self._hidden(chunk)
            if chunk:
                return chunk
        if self.broke is not None:
            raise self.broke
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Before the end: the upstream is cut off, and what is known is recorded."""
        self._end(is_complete=False)

    def _held(self, error: UpstreamBrokeError | UpstreamTimeoutError) -> bytes:
        """What was held back when the body broke off. It is raised after that, or at once."""
        self.broke = error
        self._end(is_complete=False)
        held = b"" if self._hider is None else self._hider.finish()
        if not held:
            raise error
        return held

    def _hidden(self, chunk: bytes) -> bytes:
        assert self._hider is not None
        shown = self._hider.feed(chunk) if chunk else b""
        return shown + self._hider.finish() if self._is_over else shown

    def _end(self, *, is_complete: bool) -> None:
        if self._is_over:
            return
        self._is_over = True
        self._reading.end(is_complete=is_complete)
        if not is_complete:
            self._response.close()
        if self.over is not None:
            self.over(is_complete, self._first_at)
