"""What the gateway is told: where it listens, its upstreams, limits, quotas, alerts and agents."""

from token_tracking_server.gateway.config.presets import preset_upstreams
from token_tracking_server.gateway.config.reading import ConfigError, read_config
from token_tracking_server.gateway.config.values import (
    AgentConfig,
    AlertsConfig,
    GatewayConfig,
    QuotaRule,
    RateLimitRule,
    Upstream,
)

__all__ = [
    "AgentConfig",
    "AlertsConfig",
    "ConfigError",
    "GatewayConfig",
    "QuotaRule",
    "RateLimitRule",
    "Upstream",
    "preset_upstreams",
    "read_config",
]
