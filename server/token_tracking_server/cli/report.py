"""`token-tracking report`."""

from datetime import tzinfo
from typing import Any, Literal

from msgspec import Struct

from token_tracking.metrics import By, Report, parse_period
from token_tracking_server.cli import output
from token_tracking_server.cli.ledger import bring_up_to_date, opened
from token_tracking_server.cli.rows import row_fields, sums_fields
from token_tracking_server.settings import Settings


class ReportRequest(Struct, frozen=True, kw_only=True):
    """What was asked for."""

    by: By = "day"
    period: str = "all"
    model: str | None = None
    project: str | None = None
    ingest: bool = True
    output: Literal["table", "json", "csv"] = "table"


async def run(settings: Settings, request: ReportRequest) -> int:
    """Bring the ledger up to date, and report."""
    async with opened(settings) as (store, metrics):
        # A period that does not exist is said before anything is read.
        parse_period(request.period, metrics.zone)
        if request.ingest:
            await bring_up_to_date(store, settings)
        report = await metrics.get_report(
            request.by, request.period, model=request.model, project=request.project
        )
        zone = metrics.zone
    if request.output == "json":
        output.json(figures(report, zone))
    elif request.output == "csv":
        output.rows_as_csv([row_fields(report, row, zone) for row in report.rows])
    else:
        from token_tracking_server.cli.tables import print_report

        print_report(report, zone, _nothing(request))
    return 0


def _nothing(request: ReportRequest) -> str:
    if request.model or request.project:
        chosen = " of ".join(filter(None, ("message", request.model, request.project)))
        return f"No {chosen} in this period. See: token-tracking report --by model, --by project."
    return output.nothing_in(request.period)


def figures(report: Report, zone: tzinfo) -> dict[str, Any]:
    """All of a report: `rows` and `totals`."""
    return {
        "by": report.by,
        "period": report.period,
        "timezone": str(zone),
        "rows": [
            {
                **row_fields(report, row, zone),
                "models": sorted(row.models),
            }
            for row in report.rows
        ],
        "totals": {**sums_fields(report.totals), "unpriced_models": report.unpriced_models},
    }
