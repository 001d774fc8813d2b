"""A process that spends as much as it may: `python -m tests.limits.quotas.spenders PATH N`."""

import asyncio
import random
import sys
from pathlib import Path

from token_tracking.limits import Quota, QuotaExceededError, Quotas, Spender

LIMIT = 20_000
ANNA = Spender(user="anna")
QUOTA = Quota(subject="user", period="month", tokens=LIMIT, alert_at=(0.5, 1.0))


async def spend(quotas: Quotas, chance: random.Random) -> int:
    """Ask until the quota refuses; the tokens that were let through."""
    let_through = 0
    while True:
        asked = chance.randint(1, 400)
        try:
            spending = await quotas.reserve(ANNA, tokens=asked, usd=None)
        except QuotaExceededError:
            return let_through
        await asyncio.sleep(0)
        if chance.random() < 0.2:
            await spending.refund()
            continue
        used = chance.randint(0, asked)
        await spending.settle(used, None)
        let_through += used


def say(what: object) -> None:
    """One line, at once."""
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


async def main(path: Path, tasks: int) -> None:
    """Print `ready`, wait for a line, spend, print how much."""
    async with await Quotas.open(path, [QUOTA]) as quotas:
        say("ready")
        await asyncio.to_thread(sys.stdin.readline)
        chances = [random.Random() for _ in range(tasks)]
        say(sum(await asyncio.gather(*(spend(quotas, chance) for chance in chances))))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
