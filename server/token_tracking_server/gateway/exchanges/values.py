"""What is asked of an upstream, and what it answers."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, Protocol, Self

from msgspec import Struct

from token_tracking.sources.replies.values import Call, Form, Reply
from token_tracking_server.gateway.config.values import Upstream

Headers = list[tuple[bytes, bytes]]
"""In their order, repeated ones too; names in lower case."""


_LOG: Final = logging.getLogger(__name__)


class Ask(Struct, frozen=True, kw_only=True):
    """A request to an upstream.

    `path` begins at the form's root (`/v1/messages`, `/v1/chat/completions`) and is percent-encoded
    as it came; `query` has no `?`. `headers` are those that go to the upstream, its key among them.
    `window` is the strategy that is to keep it within the model's window, `None` to leave it as it
    is. `call` says who asks.
    """

    upstream: Upstream
    form: Form
    method: str
    path: str
    query: str = ""
    headers: Headers
    body: bytes = b""
    model: str | None = None
    is_stream: bool = False
    call: Call
    window: str | None = None
    wants_limits: bool = False

    @property
    def wants_window(self) -> bool:
        """Whether the request is to be kept within the model's window."""
        return self.window is not None


AtEnd = Callable[["Answer"], Awaitable[None]]


class Answer:
    """An upstream's response, its body still under way.

    `headers` are those that go to the caller; they may be added to before the first chunk is taken.
    `chunks` are the body's bytes as they arrive; it raises `UpstreamBrokeError` (or
    `UpstreamTimeoutError`) where the body breaks off. After the last one `replies` say what was
    billed, and that is recorded already. `is_complete` says that the body came to its own end.
    """

    def __init__(
        self,
        status: int,
        headers: Headers,
        chunks: AsyncIterator[bytes],
        replies: list[Reply] | None = None,
    ) -> None:
        self.status = status
        self.headers = headers
        self.chunks = chunks
        self.replies = [] if replies is None else replies
        self.is_complete = False
        self._at_end: list[AtEnd] = []

    def at_end(self, act: AtEnd) -> None:
        """Have `act` called once when the answer is closed, however it ended: the innermost step's
        comes first."""
        self._at_end.append(act)

    async def read(self) -> bytes:
        """What is left of the body. Raises as `chunks` does."""
        return b"".join([chunk async for chunk in self.chunks])

    async def aclose(self) -> None:
        """Let go of it; a second time does nothing. Before its end this disconnects the upstream,
        and what is known is recorded."""
        close = getattr(self.chunks, "aclose", None)
        if close is not None:
            await close()
        while self._at_end:
            try:
                await self._at_end.pop(0)(self)
            except Exception:  # noqa: BLE001 -- the caller has its answer, and others have ends too
                _LOG.exception("What follows an answer failed.")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self.aclose()


Send = Callable[[Ask], Awaitable[Answer]]


class Step(Protocol):
    """What stands around a call of an upstream: it may change the request, wait, refuse
    (`GatewayError`), ask again, and follow the answer."""

    async def around(self, ask: Ask, send: Send) -> Answer:
        """The answer, of `send` or of its own."""
        ...
