"""`token-tracking advice`."""

from token_tracking.metrics import parse_period
from token_tracking_server.cli import output
from token_tracking_server.cli.ledger import opened
from token_tracking_server.cli.settling import brought_up_to_date
from token_tracking_server.settings import Settings


async def run(settings: Settings, period: str, *, as_json: bool, ingest: bool) -> int:
    """Bring the ledger up to date, and say what would have saved money."""
    async with opened(settings) as (store, metrics):
        parse_period(period, metrics.zone)
        await brought_up_to_date(store, settings, ingest=ingest)
        found = await metrics.get_advice(period, settle=False)
        sums = (await metrics.get_summary(period)).sums
        zone = metrics.zone
    if as_json:
        output.json({"period": period, "timezone": str(zone), "advice": found})
        return 0
    from token_tracking_server.cli.advice_text import advice_lines
    from token_tracking_server.cli.tables import console

    if not sums.messages:
        output.line(output.nothing_in(period))
        return 0
    for text in advice_lines(found, console().width):
        output.line(text)
    return 0
