"""The ledger's database."""

from token_tracking.loads import LibrarySize, Load, SessionLoad
from token_tracking.location import Location, default_location, locate
from token_tracking.store.records import MessageSums, Saved, SessionData, Sums, TokenUsage, ToolSum
from token_tracking.store.store import TokenStore

__all__ = [
    "LibrarySize",
    "Load",
    "Location",
    "MessageSums",
    "Saved",
    "SessionData",
    "SessionLoad",
    "Sums",
    "TokenStore",
    "TokenUsage",
    "ToolSum",
    "default_location",
    "locate",
]
