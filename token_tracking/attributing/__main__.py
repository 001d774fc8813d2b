"""A second process that settles the same database: `worker`."""

import asyncio
import gc
import os
import sys
from collections.abc import Sequence

import msgspec

from token_tracking.attributing.attributor import Attributor
from token_tracking.attributing.settler import Settled, Settler
from token_tracking.errors import TokenTrackingError
from token_tracking.store import Due, TokenStore

_decode = msgspec.json.Decoder(list[Due] | None).decode


class _Report:
    """What was saved and not yet said."""

    def __init__(self) -> None:
        self._unsaid = Settled()

    def add(self, settled: Settled) -> None:
        self._unsaid.add(settled)

    def say(self) -> None:
        sys.stdout.buffer.write(msgspec.json.encode(self._unsaid) + b"\n")
        sys.stdout.buffer.flush()
        self._unsaid = Settled()


async def _serve(database: str, user_prices: str) -> None:
    report = _Report()

    async def take() -> Sequence[Due] | None:
        report.say()
        line = await asyncio.to_thread(sys.stdin.buffer.readline)
        return _decode(line or b"null")

    async with TokenStore.opened(database, user_prices=user_prices or None) as store:
        settler = Settler(store, await Attributor(store).scale_of())
        await settler.settle(take, report.add)
    report.say()


if __name__ == "__main__":
    gc.disable()
    try:
        asyncio.run(_serve(*sys.argv[1:3]))
    except TokenTrackingError:
        os._exit(1)
    os._exit(0)
