"""`TokenMetrics`: the questions that people ask of the ledger."""

from token_tracking.metrics.metrics import LedgerCounts, Summary, TokenMetrics
from token_tracking.metrics.periods import Period, parse_period, time_zone
from token_tracking.metrics.report import GROUPINGS, By, Report, ReportRow

__all__ = [
    "GROUPINGS",
    "By",
    "LedgerCounts",
    "Period",
    "Report",
    "ReportRow",
    "Summary",
    "TokenMetrics",
    "parse_period",
    "time_zone",
]
