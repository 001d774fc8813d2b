"""A second process that settles the same database, from the other end: `worker`."""

import asyncio
import sys

import msgspec

from token_tracking.attributing.attributor import Attributor
from token_tracking.store import TokenStore


async def _main(database: str, user_prices: str) -> None:
    async with TokenStore.opened(database, user_prices=user_prices or None) as store:
        settled = await Attributor(store).settle(from_end=True)
    sys.stdout.buffer.write(msgspec.json.encode(settled) + b"\n")


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
