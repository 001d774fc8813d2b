"""The ledger's database."""

from token_tracking.location import Location, default_location, locate
from token_tracking.store.records import MessageSums, Saved, SessionData, Sums, TokenUsage, ToolSum
from token_tracking.store.store import TokenStore

__all__ = [
    "Location",
    "MessageSums",
    "Saved",
    "SessionData",
    "Sums",
    "TokenStore",
    "TokenUsage",
    "ToolSum",
    "default_location",
    "locate",
]
