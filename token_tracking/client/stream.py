"""An answer, event by event."""

from collections.abc import AsyncGenerator, AsyncIterator
from types import TracebackType
from typing import Final, Self

import httpx2
from msgspec import Struct

from token_tracking.client.connection import Connection
from token_tracking.client.conversations import Answer, Delta
from token_tracking.client.errors import GatewayError


class _Broken(Struct, frozen=True):
    detail: str
    status: int | None = None


class AnswerStream(AsyncIterator["Delta | Answer"]):
    """The events of one answer: `Delta`s with its text, then the whole `Answer`.

    Who leaves before its end ends the answer too: the gateway tells the model's provider, and
    keeps neither the question nor what was written. With `async with` that is at once, else when
    the stream is thrown away or closed with `aclose`.

    Raises (while it is read):
        GatewayError: the gateway refused, or the answer broke off.
    """

    def __init__(self, connection: Connection, path: str, body: object) -> None:
        self._events: Final = _events(connection, path, body)

    async def __anext__(self) -> Delta | Answer:
        return await anext(self._events)

    async def aclose(self) -> None:
        """End it, whether it came to its end or not."""
        await self._events.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()


async def _events(
    connection: Connection, path: str, body: object
) -> AsyncGenerator[Delta | Answer]:
    async with connection.events(path, body) as events:
        async for event in events:
            known = _event(connection, event)
            if known is not None:
                yield known
            if isinstance(known, Answer):
                return
    raise GatewayError("The answer broke off: the gateway kept neither it nor the question.")


def _event(connection: Connection, event: httpx2.ServerSentEvent) -> Delta | Answer | None:
    match event.event:
        case "delta":
            return connection.value(Delta, event.data)
        case "message":
            return connection.value(Answer, event.data)
        case "error":
            broken = connection.value(_Broken, event.data)
            raise GatewayError(broken.detail, broken.status)
        case _:
            return None
