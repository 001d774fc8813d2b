"""Choosing an upstream, and calling it."""

from token_tracking_server.gateway.upstreams.choosing import Upstreams

__all__ = ["Upstreams"]
