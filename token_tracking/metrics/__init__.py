"""`TokenMetrics`: the questions that people ask of the ledger."""

from importlib import import_module
from typing import TYPE_CHECKING

from token_tracking.metrics.metrics import LedgerCounts, Summary, TokenMetrics
from token_tracking.metrics.periods import Period, parse_period, time_zone
from token_tracking.metrics.report import GROUPINGS, By, Report, ReportRow

if TYPE_CHECKING:
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

_MODULES = {
    "JitFigures": "session",
    "SessionReport": "session",
}


def __getattr__(name: str) -> object:
    # Reports of periods do not wait for what sessions need (PEP 562).
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
