"""The library behind a server: opened by the first question, closed at the end."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar

from token_tracking_server.ledger import Ledger
from token_tracking_server.settings import Settings
from token_tracking_server.subscriptions import Subscriptions

if TYPE_CHECKING:
    from token_tracking_server.content.sync import Changes
    from token_tracking_server.just_in_time import JustInTime

_DELAY_SECONDS: Final = 1.0
"""The client waits for the handshake: the folders are looked at after it, or when it asks."""

_Value = TypeVar("_Value")


class Contents:
    """What tools, resources and completion ask of the library.

    `definitions` are the library's own tools as a host gives them to a model: every request
    carries them.
    """

    def __init__(self, settings: Settings, ledger: Ledger) -> None:
        self.definitions: Sequence[dict[str, Any]] = ()
        self._settings = settings
        self._ledger = ledger
        self._opening = asyncio.Lock()
        self._open: JustInTime | None = None
        self._listeners: list[Callable[[Changes], None]] = []

    async def ask(self, question: "Callable[[JustInTime], Awaitable[_Value]]") -> _Value:
        """Put a question to the open library.

        Raises:
            ContentError: it cannot be opened; or what the question raises.
        """
        return await question(await self._opened())

    async def _opened(self) -> "JustInTime":
        # Importing it takes a tenth of the start-up: the client waits for that, not for this.
        from token_tracking_server.just_in_time import open_library  # noqa: PLC0415

        async with self._opening:
            if self._open is None:
                self._open = open_library(self._settings, self._ledger, self.definitions)
                for listener in self._listeners:
                    self._open.library.on_change(listener)
            return self._open

    async def watch(self, subscriptions: Subscriptions, stop: asyncio.Event) -> None:
        """Tell clients of every change in the folders, until `stop` is set."""
        told: asyncio.Queue[Changes] = asyncio.Queue()
        self._listeners.append(told.put_nowait)
        telling = asyncio.create_task(_tell(told, subscriptions))
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _DELAY_SECONDS)
            if not stop.is_set():
                await self.ask(lambda content: content.library.watch(stop))
        finally:
            self._listeners.remove(told.put_nowait)
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)

    async def close(self) -> None:
        """Finish what is being recorded, and close. A question after it opens it again."""
        async with self._opening:
            content, self._open = self._open, None
            if content is not None:
                await content.close()


async def _tell(told: "asyncio.Queue[Changes]", subscriptions: Subscriptions) -> None:
    while True:
        changes = await told.get()
        await subscriptions.changed(changes.uris, lists_changed=changes.categories_changed)
