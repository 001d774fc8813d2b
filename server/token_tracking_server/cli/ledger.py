"""The ledger of a command: opened by the settings, and brought up to date."""

import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from token_tracking.errors import StoreError
from token_tracking.ingest import Ingested
from token_tracking.metrics import TokenMetrics, time_zone
from token_tracking.store import TokenStore
from token_tracking_server.catching_up import catch_up
from token_tracking_server.cli.output import plain
from token_tracking_server.cli.progress import progress_bar
from token_tracking_server.settings import Settings


@asynccontextmanager
async def opened(settings: Settings) -> AsyncGenerator[tuple[TokenStore, TokenMetrics]]:
    """The store and the questions to it."""
    zone = time_zone(settings.timezone)
    async with TokenStore.opened(settings.database, user_prices=settings.prices_file()) as store:
        yield store, TokenMetrics(store, zone)


async def bring_up_to_date(store: TokenStore, settings: Settings) -> Ingested | None:
    """Ingest; where the ledger cannot be written, say so and go on with what it has."""
    try:
        with progress_bar() as progress:
            _, done = await catch_up(store, settings.claude_dirs, progress=progress)
    except StoreError as error:
        print(f"token-tracking: not up to date: {error}", file=sys.stderr)  # noqa: T201
        return None
    for path, reason in done.failures.items():
        print(f"token-tracking: cannot read {plain(path)}: {reason}.", file=sys.stderr)  # noqa: T201
    return done
