"""`token-tracking reprice`."""

from token_tracking_server.cli import output
from token_tracking_server.cli.ledger import opened
from token_tracking_server.settings import Settings


async def run(settings: Settings) -> int:
    """Price every message anew, and say what changed."""
    async with opened(settings) as (store, _):
        changed = await store.reprice()
    output.line(f"{output.counted(changed, 'message')} with another price now.")
    return 0
