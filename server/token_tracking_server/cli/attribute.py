"""`token-tracking attribute`."""

from token_tracking_server.cli import output
from token_tracking_server.cli.ledger import opened
from token_tracking_server.cli.settling import settled, settling_fields, settling_lines
from token_tracking_server.settings import Settings


async def run(settings: Settings, *, recompute: bool, as_json: bool) -> int:
    """Attribute what changed, or everything anew, and say what came of it."""
    async with opened(settings) as (store, _):
        done = await settled(store, recompute=recompute)
    if as_json:
        output.json(settling_fields(done))
    else:
        for text in settling_lines(done):
            output.line(text)
    return 0
