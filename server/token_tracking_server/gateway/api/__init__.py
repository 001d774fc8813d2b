"""The gateway's own API: sessions, counts, models, health and metrics, as OpenAPI describes it."""

from token_tracking_server.gateway.api.app import create_api

__all__ = ["create_api"]
