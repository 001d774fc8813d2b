"""`token-tracking trend`."""

from datetime import tzinfo
from typing import TYPE_CHECKING, Any, Final, Literal

from msgspec.structs import asdict

from token_tracking.metrics import parse_period
from token_tracking_server.cli import output
from token_tracking_server.cli.ledger import opened
from token_tracking_server.cli.rows import iso
from token_tracking_server.cli.settling import brought_up_to_date
from token_tracking_server.settings import Settings

_NESTED: Final = frozenset({"models", "model_tokens"})

if TYPE_CHECKING:
    from token_tracking.efficiency.snapshot import Trend, TrendPoint


async def run(
    settings: Settings,
    period: str,
    *,
    project: str | None,
    form: Literal["table", "json", "csv"],
    ingest: bool,
) -> int:
    """Bring the ledger up to date, and show a period step by step."""
    async with opened(settings) as (store, metrics):
        parse_period(period, metrics.zone)
        await brought_up_to_date(store, settings, ingest=ingest)
        trend = await metrics.get_trend(period, project=project, settle=False)
        zone = metrics.zone
    _show(trend, form, zone)
    return 0


def _show(trend: "Trend", form: Literal["table", "json", "csv"], zone: tzinfo) -> None:
    points = [_point(point, zone) for point in trend.points]
    if form == "json":
        output.json({**asdict(trend), "timezone": str(zone), "points": points})
    elif form == "csv":
        rows = [{name: each for name, each in row.items() if name not in _NESTED} for row in points]
        output.rows_as_csv(rows)
    elif not any(point.messages for point in trend.points):
        output.line(output.nothing_in(trend.period))
    else:
        from token_tracking_server.cli.trend_table import print_trend

        print_trend(trend)


def _point(point: "TrendPoint", zone: tzinfo) -> dict[str, Any]:
    return {**asdict(point), "start": iso(point.start, zone)}
