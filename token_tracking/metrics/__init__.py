"""`TokenMetrics`: the questions that people ask of the ledger."""

from importlib import import_module
from typing import TYPE_CHECKING

from token_tracking.metrics.metrics import TokenMetrics
from token_tracking.metrics.periods import (
    NAMED_PERIODS,
    Period,
    PeriodLike,
    before,
    parse_period,
    time_zone,
)
from token_tracking.metrics.report import GROUPINGS, By, Report, ReportRow
from token_tracking.metrics.reports import LedgerCounts, Summary

if TYPE_CHECKING:
    from token_tracking.metrics.session import JitFigures, SessionReport
    from token_tracking.metrics.session_efficiency import SessionEfficiency

__all__ = [
    "GROUPINGS",
    "NAMED_PERIODS",
    "By",
    "JitFigures",
    "LedgerCounts",
    "Period",
    "PeriodLike",
    "Report",
    "ReportRow",
    "SessionEfficiency",
    "SessionReport",
    "Summary",
    "TokenMetrics",
    "before",
    "parse_period",
    "time_zone",
]

_MODULES = {
    "JitFigures": "session",
    "SessionEfficiency": "session_efficiency",
    "SessionReport": "session",
}


def __getattr__(name: str) -> object:
    # Reports of periods do not wait for what sessions need (PEP 562).
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
