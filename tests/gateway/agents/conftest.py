"""The gateway of the conversations' tests."""

from tests.gateway.conversations.conftest import client, gateway, shared_upstream, upstream

__all__ = ["client", "gateway", "shared_upstream", "upstream"]
