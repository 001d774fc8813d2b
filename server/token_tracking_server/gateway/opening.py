"""Opens what the gateway's parts share, and closes it in the reverse order."""

import asyncio
import logging
import os
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

from token_tracking.errors import TokenTrackingError
from token_tracking.location import default_location, locate
from token_tracking.metrics import time_zone
from token_tracking.pricing import PriceBook
from token_tracking.recording import Recorder, drain_spool
from token_tracking.store import TokenStore
from token_tracking_server.gateway.config import GatewayConfig
from token_tracking_server.gateway.database import FILE_NAME
from token_tracking_server.gateway.exchanges import Exchanges
from token_tracking_server.gateway.histories import Histories
from token_tracking_server.gateway.limiting import opened_limits
from token_tracking_server.gateway.managing.step import WindowStep
from token_tracking_server.gateway.metrics import Gauges
from token_tracking_server.gateway.services import Services
from token_tracking_server.gateway.upstreams import Upstreams
from token_tracking_server.gateway.upstreams.client import UpstreamClient
from token_tracking_server.settings import Settings

_LOG: Final = logging.getLogger(__name__)

DRAIN_SECONDS: Final = 5.0
"""What is recorded may take this long to reach the ledger at the end; the rest waits on disk."""


@asynccontextmanager
async def opened_services(
    config: GatewayConfig, settings: Settings, *, saves_in_child: bool = False
) -> AsyncGenerator[Services]:
    """The services of a configuration over the ledger of `settings`. With `saves_in_child` a child
    process saves what is recorded, which leaves this one's time to its callers.

    Raises:
        StoreError: a database beside the ledger cannot be used.
        LimitError: a quota, or an alert's address, is none.
    """
    prices = PriceBook(settings.prices_file())
    folder = _folder(settings)
    gauges = Gauges()
    async with AsyncExitStack() as stack:
        recorder = Recorder.open(
            settings.database, user_prices=settings.prices_file(), in_child=saves_in_child
        )
        stack.push_async_callback(asyncio.to_thread, recorder.close, DRAIN_SECONDS)
        leftovers = asyncio.create_task(_take_in_leftovers(settings))
        stack.push_async_callback(_ended, leftovers)
        gauges.follow_recorder(lambda: recorder.stats.waiting, lambda: recorder.stats.lost)
        histories = await stack.enter_async_context(
            Histories.opened(folder / FILE_NAME, ttl_seconds=config.session_ttl)
        )
        client = UpstreamClient(config)
        stack.push_async_callback(client.close)
        exchanges = Exchanges(client, recorder.record, gauges)
        limits = await stack.enter_async_context(
            opened_limits(config, folder, prices, gauges, timezone=time_zone(settings.timezone))
        )
        window = WindowStep(gauges, default_strategy=config.default_strategy, prices=prices)
        # What leaves the window manager is what is limited.
        exchanges.use([window, limits])
        yield Services(
            config=config,
            settings=settings,
            folder=folder,
            upstreams=Upstreams(config),
            exchanges=exchanges,
            recorder=recorder,
            gauges=gauges,
            histories=histories,
            prices=prices,
        )


async def _take_in_leftovers(settings: Settings) -> None:
    """Bring into the ledger what gateways and programs that were killed had recorded."""
    try:
        async with TokenStore.opened(
            settings.database, user_prices=settings.prices_file()
        ) as store:
            await drain_spool(store)
    except TokenTrackingError as error:
        # It stays on disk. The gateway serves without a ledger, too.
        _LOG.warning("What was recorded before could not be saved: %s", error)


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _folder(settings: Settings) -> Path:
    given = settings.database
    ledger = default_location(os.environ) if given is None else locate(given)
    return ledger.path.absolute().parent
