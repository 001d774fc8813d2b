"""Opens limits as a configuration has them."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import tzinfo
from pathlib import Path

from token_tracking.limits import Alerts, Quotas, RateLimiter
from token_tracking.limits.database import NAME
from token_tracking.pricing import PriceBook
from token_tracking_server.gateway.config import GatewayConfig
from token_tracking_server.gateway.limiting.rules import (
    limits_by_key,
    quotas_of,
    sinks_of,
    storage_of,
)
from token_tracking_server.gateway.limiting.step import LimitStep
from token_tracking_server.gateway.metrics import Gauges


@asynccontextmanager
async def opened_limits(
    config: GatewayConfig,
    folder: Path,
    prices: PriceBook,
    gauges: Gauges,
    *,
    timezone: tzinfo | None = None,
) -> AsyncGenerator[LimitStep]:
    """The step that keeps limits; quotas and alerts stand in `limits.db` in the ledger's folder.

    Raises:
        StoreError: that file cannot be used.
        LimitError: a quota or the webhook's address is none.
    """
    path = folder / NAME
    async with AsyncExitStack() as stack:
        alerts = Alerts(path, await asyncio.to_thread(sinks_of, config.alerts))
        quotas = await Quotas.open(path, quotas_of(config), timezone=timezone, alerts=alerts)
        stack.push_async_callback(alerts.aclose)
        stack.push_async_callback(quotas.aclose)
        limiter = RateLimiter(limits_by_key(config.rate_limits), storage_of(config))
        stack.push_async_callback(limiter.aclose)
        if config.quotas:
            alerts.wake()  # what an earlier gateway did not come to tell
        step = LimitStep(
            quotas=quotas,
            limiter=limiter,
            prices=prices,
            gauges=gauges,
            wait_seconds=config.limit_wait_seconds,
        )
        stack.push_async_callback(step.pending.aclose)
        yield step
