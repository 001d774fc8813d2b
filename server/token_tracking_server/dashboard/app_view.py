"""The page for hosts that show MCP Apps: one file, which gets its data from the host.

The host gives it the result of a tool (`ui/notifications/tool-result`). The data for it stand in
the result's `_meta`, which no model reads, under `DATA_KEY`: `report_data` makes them.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from token_tracking.efficiency.snapshot import Advice, Snapshot, Timeline
from token_tracking_server.dashboard.api import encoded
from token_tracking_server.dashboard.page import whole

DATA_KEY: Final = "token-tracking/report"


def app_page() -> str:
    """The page as HTML, without an outside address and without data."""
    return whole()


def report_data(
    report: Snapshot | Timeline, timezone: str, advice: Sequence[Advice] | None = None
) -> dict[str, Any]:
    """What the page shows of a report, for the `_meta` of a tool's result. Times are shown in
    `timezone` (an IANA name); a snapshot may have the period's advice with it."""
    return msgspec.json.decode(encoded(envelope(report, timezone, advice)))


def envelope(
    report: Snapshot | Timeline, timezone: str, advice: Sequence[Advice] | None = None
) -> dict[str, Any]:
    """A report, with what kind it is."""
    kind = "snapshot" if isinstance(report, Snapshot) else "timeline"
    told = {} if advice is None else {"advice": list(advice)}
    return {"kind": kind, "timezone": timezone, kind: report, **told}
