"""The connection that writes the ledger: opened by the first that has something to write."""

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

from token_tracking.ingest import Ingested, Progress
from token_tracking.pricing import PriceBook
from token_tracking.store import TokenStore
from token_tracking_server.catching_up import catch_up
from token_tracking_server.settings import Settings

_Value = TypeVar("_Value")


class Writer:
    """Writes with the user's own prices. What has begun is finished, even if nobody waits for it.

    All raise:
        TokenTrackingError: the ledger cannot be opened or written; the next call tries again.
    """

    def __init__(self, settings: Settings, environment: Mapping[str, str]) -> None:
        self._settings = settings
        self._environment = environment
        self._opening = asyncio.Lock()
        self._store: TokenStore | None = None
        self._saving: set[asyncio.Task[Any]] = set()

    @property
    def prices(self) -> PriceBook | None:
        """The prices that it writes with; `None` before it has written anything."""
        return None if self._store is None else self._store.prices

    async def store(self) -> TokenStore:
        """The open ledger."""
        async with self._opening:
            if self._store is None:
                self._store = await TokenStore.open(
                    self._settings.database, user_prices=self._settings.prices_file()
                )
            return self._store

    async def ingest(self, progress: Progress) -> Ingested:
        """Read what is new in the transcripts, after what programs left on disk."""
        caught_up = await catch_up(
            await self.store(),
            self._settings.claude_dirs,
            environment=self._environment,
            progress=progress,
        )
        return caught_up.ingested

    async def settle(self, progress: Progress) -> None:
        """Attribute the sessions that have changed, the newest first: most ask for those."""
        from token_tracking.attributing import Attributor  # noqa: PLC0415 (start-up)

        await Attributor(await self.store()).settle(progress=progress, from_end=True)

    async def finish(self, saving: Coroutine[Any, Any, _Value]) -> _Value:
        """Save something."""
        task = asyncio.create_task(saving)
        self._saving.add(task)
        task.add_done_callback(self._saving.discard)
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Finish what is being saved, and close."""
        await asyncio.gather(*self._saving, return_exceptions=True)
        if self._store is not None:
            await self._store.close()
