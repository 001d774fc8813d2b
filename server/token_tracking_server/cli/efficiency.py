"""`token-tracking efficiency`."""

from token_tracking.metrics import parse_period
from token_tracking_server.cli import output
from token_tracking_server.cli.ledger import opened
from token_tracking_server.cli.settling import brought_up_to_date
from token_tracking_server.settings import Settings


async def run(settings: Settings, period: str, *, as_json: bool, ingest: bool) -> int:
    """Bring the ledger up to date, and say what caching and just-in-time loading saved."""
    async with opened(settings) as (store, metrics):
        parse_period(period, metrics.zone)
        await brought_up_to_date(store, settings, ingest=ingest)
        snapshot = await metrics.get_efficiency_snapshot(period, settle=False)
        zone = metrics.zone
    if as_json:
        output.json({"timezone": str(zone), "snapshot": snapshot})
    elif not snapshot.overall.messages:
        output.line(output.nothing_in(period))
    else:
        from token_tracking_server.cli.efficiency_table import print_snapshot

        print_snapshot(snapshot)
    return 0
