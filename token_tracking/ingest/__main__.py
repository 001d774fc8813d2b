"""The second process: see `worker`."""

import asyncio
import gc
import os
import sys
import threading

import msgspec

from token_tracking.errors import TokenTrackingError
from token_tracking.ingest.portion import Portion, ingest_portions
from token_tracking.ingest.worker import Order
from token_tracking.reading import FoundFile
from token_tracking.store import TokenStore


async def serve(database: str, user_prices: str) -> None:
    orders: asyncio.Queue[Order | None] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    known: set[str] = set()

    def listen() -> None:
        decode = msgspec.json.Decoder(Order | None).decode
        for line in sys.stdin.buffer:
            loop.call_soon_threadsafe(orders.put_nowait, decode(line))
        # The first process is done with this one, or dead: what is under way is rolled back.
        os._exit(0)

    async def take() -> list[FoundFile] | None:
        order = await orders.get()
        if order is None:
            return None
        known.update(order.known)
        return order.found()

    async with TokenStore.opened(database, user_prices=user_prices or None) as store:
        threading.Thread(target=listen, daemon=True).start()
        await ingest_portions(store, known, take, _answer)


def _answer(portion: Portion) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(portion) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    gc.disable()
    try:
        asyncio.run(serve(*sys.argv[1:3]))
    except TokenTrackingError:
        os._exit(1)
    os._exit(0)
