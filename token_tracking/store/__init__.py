"""The ledger's database."""

from importlib import import_module
from typing import TYPE_CHECKING

from token_tracking.location import Location, default_location, locate
from token_tracking.store.attribution_reads import (
    ChainCall,
    ChainEntry,
    ChainMessage,
    SessionChains,
)
from token_tracking.store.records import MessageSums, Saved, SessionData, Sums, TokenUsage, ToolSum
from token_tracking.store.share_records import (
    Due,
    FindingSums,
    ProjectSums,
    SessionRow,
    StoredAttribution,
    TopItem,
)
from token_tracking.store.store import TokenStore

if TYPE_CHECKING:
    from token_tracking.loads import LibrarySize, Load, SessionLoad

__all__ = [
    "ChainCall",
    "ChainEntry",
    "ChainMessage",
    "Due",
    "FindingSums",
    "LibrarySize",
    "Load",
    "Location",
    "MessageSums",
    "ProjectSums",
    "Saved",
    "SessionChains",
    "SessionData",
    "SessionLoad",
    "SessionRow",
    "StoredAttribution",
    "Sums",
    "TokenStore",
    "TokenUsage",
    "ToolSum",
    "TopItem",
    "default_location",
    "locate",
]

_OF_LOADS = frozenset({"LibrarySize", "Load", "SessionLoad"})


def __getattr__(name: str) -> object:
    # Most reports have nothing to do with loads (PEP 562).
    if name not in _OF_LOADS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("token_tracking.loads"), name)
