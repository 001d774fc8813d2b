"""Rate limits and quotas around requests: waits, shrinks and tries again before anybody is told."""

from token_tracking_server.gateway.limiting.opening import opened_limits
from token_tracking_server.gateway.limiting.step import LimitStep

__all__ = ["LimitStep", "opened_limits"]
