"""`token-tracking report --by item|path|tool|...` and `token-tracking top`."""

import sys
from datetime import tzinfo
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from msgspec import Struct
from msgspec.structs import asdict

from token_tracking.metrics import TokenMetrics, parse_period
from token_tracking_server.cli import output
from token_tracking_server.cli.ledger import opened
from token_tracking_server.cli.rows import iso
from token_tracking_server.cli.settling import brought_up_to_date
from token_tracking_server.settings import Settings

if TYPE_CHECKING:
    from token_tracking.efficiency.snapshot import GroupBy, GroupRow
    from token_tracking.shares import Metric

_TABLE_ROWS: Final = 25


class GroupRequest(Struct, frozen=True, kw_only=True):
    """What was asked for; a `resource` is a tool with what it was about. Without a `limit` a table
    has the first rows, and JSON and CSV have all."""

    by: 'GroupBy | Literal["resource"]'
    metric: "Metric" = "cost"
    period: str = "all"
    project: str | None = None
    limit: int | None = None
    ingest: bool = True
    output: Literal["table", "json", "csv"] = "table"


class _Found(NamedTuple):
    """Rows, what they make up with those that a limit left out, and how many these are; `None`
    where it is not known."""

    rows: "list[GroupRow]"
    totals: "GroupRow | None" = None
    left_out: int | None = None


async def run(settings: Settings, request: GroupRequest) -> int:
    """Bring the ledger up to date, and say where the prompts' money went."""
    async with opened(settings) as (store, metrics):
        parse_period(request.period, metrics.zone)
        await brought_up_to_date(store, settings, ingest=request.ingest)
        found = await _found(metrics, request)
        zone = metrics.zone
    if request.output == "json":
        output.json(figures(request, found, zone))
    elif request.output == "csv":
        output.rows_as_csv([group_fields(row, zone) for row in found.rows])
    elif not found.rows:
        output.line(_nothing(request))
    else:
        from token_tracking_server.cli.group_table import print_groups

        print_groups(
            found.rows,
            by=request.by,
            metric=request.metric,
            totals=found.totals,
            left_out=found.left_out or 0,
        )
    return 0


async def _found(metrics: TokenMetrics, request: GroupRequest) -> _Found:
    limit = _limit(request)
    if request.by == "resource":
        rows = await metrics.get_top_resources(
            request.metric,
            limit,
            request.period,
            project=request.project,
            settle=False,
        )
        return _Found(rows)
    groups = await metrics.get_groups(
        request.by,
        request.period,
        metric=request.metric,
        limit=limit,
        project=request.project,
        settle=False,
    )
    return _Found(groups.rows, groups.totals, groups.left_out)


def _limit(request: GroupRequest) -> int:
    return request.limit or (_TABLE_ROWS if request.output == "table" else sys.maxsize)


def _nothing(request: GroupRequest) -> str:
    if request.project:
        return (
            f"No prompts of {output.plain(request.project)} in this period. See: token-tracking"
            " report --by project."
        )
    return output.nothing_in(request.period)


def figures(request: GroupRequest, found: "_Found", zone: tzinfo) -> dict[str, Any]:
    """What was asked for, the rows of it, and all of the period as `totals`."""
    return {
        "by": request.by,
        "metric": request.metric,
        "period": request.period,
        "timezone": str(zone),
        "project": request.project,
        "rows": [group_fields(row, zone) for row in found.rows],
        "left_out": found.left_out,
        "totals": None if found.totals is None else group_fields(found.totals, zone),
    }


def group_fields(row: "GroupRow", zone: tzinfo) -> dict[str, Any]:
    """A row as JSON and CSV have it: tokens, USD, shares from 0 to 1, efficiency in percent."""
    entered = row.entered_at
    return {**asdict(row), "entered_at": None if entered is None else iso(entered, zone)}
