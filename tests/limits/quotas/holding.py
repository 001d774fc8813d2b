"""A process that reserves, says so, and waits to be killed."""

import asyncio
import sys
from pathlib import Path

from tests.limits.quotas.spenders import ANNA, QUOTA, say
from token_tracking.limits import Quotas


async def main(path: Path) -> None:
    """Reserve, and hold it."""
    quotas = await Quotas.open(path, [QUOTA])
    await quotas.reserve(ANNA, tokens=15_000, usd=None)
    say("held")
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
