"""The page for hosts that show MCP Apps: one file, which gets its data from the host.

The host gives it the result of a tool (`ui/notifications/tool-result`). The data for it stand in
the result's `_meta`, which no model reads, under `DATA_KEY`: `report_data` makes them.
"""

from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from token_tracking.efficiency.session_timeline import Timeline
from token_tracking.efficiency.snapshot import SHARE_ERROR_P95, Advice, GroupBy, GroupRow, Snapshot
from token_tracking.shares import Metric
from token_tracking_server.dashboard.api import encoded
from token_tracking_server.dashboard.page import whole

DATA_KEY: Final = "token-tracking/report"


def app_page() -> str:
    """The page as HTML, without an outside address and without data."""
    return whole()


class TopRows(Struct, frozen=True, kw_only=True):
    """What is most of `metric`: the rows of the grouping `by`, or of no grouping. Nineteen of
    twenty sizes of single results are off by at most `error_p95` (relative)."""

    by: GroupBy | None
    metric: Metric
    rows: list[GroupRow]
    error_p95: float = SHARE_ERROR_P95


class PeriodView(Struct, frozen=True, kw_only=True):
    """What the page shows of a period first, and what that needs beside its snapshot."""

    view: Literal["snapshot", "advice", "top"] = "snapshot"
    advice: list[Advice] | None = None
    top: TopRows | None = None


def report_data(
    report: Snapshot | Timeline, timezone: str, shown: PeriodView | None = None
) -> dict[str, Any]:
    """What the page shows of a report, for the `_meta` of a tool's result. Times are shown in
    `timezone` (an IANA name); `shown` is for a snapshot."""
    return msgspec.json.decode(encoded(envelope(report, timezone, shown)))


def envelope(
    report: Snapshot | Timeline, timezone: str, shown: PeriodView | None = None
) -> dict[str, Any]:
    """A report, with what kind it is."""
    kind = "snapshot" if isinstance(report, Snapshot) else "timeline"
    told = {} if shown is None else msgspec.structs.asdict(shown)
    return {"kind": kind, "timezone": timezone, kind: report, **told}
