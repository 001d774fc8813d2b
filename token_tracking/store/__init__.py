"""The ledger's database."""

from token_tracking.loads import LibrarySize, Load, SessionLoad
from token_tracking.location import Location, default_location, locate
from token_tracking.store.attribution_reads import (
    ChainCall,
    ChainEntry,
    ChainMessage,
    SessionChains,
)
from token_tracking.store.records import MessageSums, Saved, SessionData, Sums, TokenUsage, ToolSum
from token_tracking.store.store import TokenStore

__all__ = [
    "ChainCall",
    "ChainEntry",
    "ChainMessage",
    "LibrarySize",
    "Load",
    "Location",
    "MessageSums",
    "Saved",
    "SessionChains",
    "SessionData",
    "SessionLoad",
    "Sums",
    "TokenStore",
    "TokenUsage",
    "ToolSum",
    "default_location",
    "locate",
]
