"""Where your tokens and money went: a ledger of usage, and what answers questions about it."""

from importlib import import_module
from typing import TYPE_CHECKING

from token_tracking._version import __version__
from token_tracking.errors import (
    InvalidPeriodError,
    InvalidPricesError,
    InvalidUsageError,
    SourceError,
    StoreError,
    TokenTrackingError,
    UnknownBaselineError,
    UnknownMetricError,
    UnknownModelError,
    UnknownSessionError,
)

if TYPE_CHECKING:
    from token_tracking.counting import TokenCount, TokenCounter, count_tokens
    from token_tracking.efficiency import EfficiencyEngine
    from token_tracking.ingest import ingest_claude_code
    from token_tracking.loads import LibrarySize, Load
    from token_tracking.metrics import TokenMetrics
    from token_tracking.pricing import PriceBook
    from token_tracking.recording import Recorder
    from token_tracking.store import TokenStore, TokenUsage
    from token_tracking.system import TokenSystem, create_token_system
    from token_tracking.tracker import TokenTracker
    from token_tracking.tracking import track
    from token_tracking.usage import Usage, UsageEvent
    from token_tracking.window import ContextWindow

__all__ = [
    "ContextWindow",
    "EfficiencyEngine",
    "InvalidPeriodError",
    "InvalidPricesError",
    "InvalidUsageError",
    "LibrarySize",
    "Load",
    "PriceBook",
    "Recorder",
    "SourceError",
    "StoreError",
    "TokenCount",
    "TokenCounter",
    "TokenMetrics",
    "TokenStore",
    "TokenSystem",
    "TokenTracker",
    "TokenTrackingError",
    "TokenUsage",
    "UnknownBaselineError",
    "UnknownMetricError",
    "UnknownModelError",
    "UnknownSessionError",
    "Usage",
    "UsageEvent",
    "__version__",
    "count_tokens",
    "create_token_system",
    "ingest_claude_code",
    "track",
]

_MODULES = {
    "ContextWindow": "window",
    "EfficiencyEngine": "efficiency",
    "LibrarySize": "loads",
    "Load": "loads",
    "PriceBook": "pricing",
    "Recorder": "recording",
    "TokenCount": "counting",
    "TokenCounter": "counting",
    "TokenMetrics": "metrics",
    "TokenStore": "store",
    "TokenSystem": "system",
    "TokenTracker": "tracker",
    "TokenUsage": "store",
    "Usage": "usage",
    "UsageEvent": "usage",
    "count_tokens": "counting",
    "create_token_system": "system",
    "ingest_claude_code": "ingest",
    "track": "tracking",
}


def __getattr__(name: str) -> object:
    # Whoever needs one part does not wait for the others (PEP 562).
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
