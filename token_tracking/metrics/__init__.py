"""`TokenMetrics`: the questions that people ask of the ledger."""

from token_tracking.metrics.metrics import LedgerCounts, Summary, TokenMetrics
from token_tracking.metrics.periods import Period, parse_period, time_zone
from token_tracking.metrics.report import GROUPINGS, By, Report, ReportRow
from token_tracking.metrics.session import JitFigures, SessionReport

__all__ = [
    "GROUPINGS",
    "By",
    "JitFigures",
    "LedgerCounts",
    "Period",
    "Report",
    "ReportRow",
    "SessionReport",
    "Summary",
    "TokenMetrics",
    "parse_period",
    "time_zone",
]
