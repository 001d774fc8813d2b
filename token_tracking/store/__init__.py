"""The ledger's database."""

from token_tracking.store.location import Location, default_location, locate
from token_tracking.store.records import SessionData, Sums, TokenUsage
from token_tracking.store.store import TokenStore

__all__ = [
    "Location",
    "SessionData",
    "Sums",
    "TokenStore",
    "TokenUsage",
    "default_location",
    "locate",
]
