"""Calls of upstreams: each is limited, managed, read along and recorded, whoever asked for it."""

from token_tracking_server.gateway.exchanges.exchanges import Exchanges
from token_tracking_server.gateway.exchanges.values import Answer, Ask, AtEnd, Headers, Send, Step

__all__ = ["Answer", "Ask", "AtEnd", "Exchanges", "Headers", "Send", "Step"]
