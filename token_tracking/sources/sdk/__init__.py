"""Usage from the official packages of providers: their clients, read along at the wire."""

from token_tracking.sources.sdk.clients import UnknownClientError, track_client
from token_tracking.sources.sdk.values import Caller

__all__ = ["Caller", "UnknownClientError", "track_client"]
