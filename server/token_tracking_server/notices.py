"""Changes of the library, from its folders to the clients that asked for them."""

import asyncio
from contextlib import suppress
from typing import Final

from token_tracking_server.content.library import Library
from token_tracking_server.content.sync import Changes
from token_tracking_server.subscriptions import Subscriptions

_DELAY_SECONDS: Final = 1.0
"""The client waits for the handshake: the folders are looked at after it, or when it asks."""


async def watch(library: Library, subscriptions: Subscriptions, stop: asyncio.Event) -> None:
    """Tell of every change, until `stop` is set."""
    told: asyncio.Queue[Changes] = asyncio.Queue()
    library.on_change(told.put_nowait)
    telling = asyncio.create_task(_tell(told, subscriptions))
    try:
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _DELAY_SECONDS)
        if not stop.is_set():
            await library.watch(stop)
    finally:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)


async def _tell(told: "asyncio.Queue[Changes]", subscriptions: Subscriptions) -> None:
    while True:
        changes = await told.get()
        await subscriptions.changed(changes.uris, lists_changed=changes.categories_changed)
