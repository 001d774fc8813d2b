"""The parts, wired."""

import os
from types import TracebackType
from typing import NamedTuple, Self

from token_tracking.efficiency import EfficiencyEngine
from token_tracking.metrics import TokenMetrics, time_zone
from token_tracking.store import TokenStore
from token_tracking.tracker import TokenTracker


class TokenSystem(NamedTuple):
    """A tracker, its store, and what answers questions about it. Close it, or use it in `async
    with`."""

    tracker: TokenTracker
    store: TokenStore
    efficiency: EfficiencyEngine
    metrics: TokenMetrics

    async def close(self) -> None:
        """Close the store."""
        await self.store.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()


async def create_token_system(
    database: str | os.PathLike[str] | None = None,
    *,
    user_prices: str | os.PathLike[str] | None = None,
    timezone: str | None = None,
    efficiency: EfficiencyEngine | None = None,
) -> TokenSystem:
    """Open a ledger (a path or URL; by default `TOKEN_TRACKING_DB` or the user's data folder) and
    wire tracker, store, efficiency (`EfficiencyEngine()` by default) and metrics on it.

    Raises:
        StoreError: the database cannot be opened.
        InvalidPricesError: the price file cannot be read as one.
        InvalidPeriodError: there is no such time zone.
    """
    zone = time_zone(timezone)
    store = await TokenStore.open(database, user_prices=user_prices)
    efficiency = efficiency or EfficiencyEngine()
    return TokenSystem(
        tracker=TokenTracker(store, efficiency),
        store=store,
        efficiency=efficiency,
        metrics=TokenMetrics(store, zone, efficiency=efficiency),
    )
