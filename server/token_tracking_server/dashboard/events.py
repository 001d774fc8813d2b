"""News of the ledger, so that an open page shows the figures of now."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from starlette.requests import Request
from starlette.responses import StreamingResponse

from token_tracking_server.dashboard.figures import Figures

LOOK_SECONDS: Final = 3.0
"""Between two looks at the transcripts, while a page is open. One costs a `stat` a file."""

_ALIVE: Final = b": alive\n\n"
_ALIVE_SECONDS: Final = 15.0


class Events:
    """Looks at the transcripts while somebody listens, and tells them of each change."""

    def __init__(self, figures: Figures, every: float = LOOK_SECONDS) -> None:
        self._figures = figures
        self._every = every
        self._version = ""
        self._changed = asyncio.Condition()
        self._listening = asyncio.Event()
        self._listeners = 0
        self._ended = False

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Look and tell, as long as the context lasts."""
        looking = asyncio.create_task(self._look())
        try:
            yield
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
            await self.end()

    async def end(self) -> None:
        """Let every stream end."""
        async with self._changed:
            self._ended = True
            self._changed.notify_all()

    async def stream(self, request: Request) -> StreamingResponse:
        """The news as server-sent events: `change`, with the ledger's version."""
        return StreamingResponse(self._news(), media_type="text/event-stream")

    async def _news(self) -> AsyncIterator[bytes]:
        self._listeners += 1
        self._listening.set()
        seen = self._version
        try:
            # How long the browser waits before it asks again, should the server be gone.
            yield b"retry: 2000\n\n"
            while not self._ended:
                if seen != self._version:
                    seen = self._version
                    yield f"event: change\ndata: {seen}\n\n".encode()
                elif not await self._wait(seen):
                    yield _ALIVE
        finally:
            self._listeners -= 1
            if not self._listeners:
                self._listening.clear()

    async def _wait(self, seen: str) -> bool:
        async with self._changed:
            try:
                async with asyncio.timeout(_ALIVE_SECONDS):
                    await self._changed.wait_for(lambda: self._ended or seen != self._version)
            except TimeoutError:
                return False
        return True

    async def _look(self) -> None:
        while True:
            await self._listening.wait()
            version = await self._figures.refresh()
            if version != self._version:
                async with self._changed:
                    self._version = version
                    self._changed.notify_all()
            await asyncio.sleep(self._every)
