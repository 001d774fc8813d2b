"""The tables of the TOML file, as they are written."""

from collections.abc import Mapping
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from token_tracking.sources.replies.values import Form
from token_tracking_server.gateway.config.values import (
    AgentConfig,
    AlertsConfig,
    QuotaRule,
    RateLimitRule,
)

_Port = Annotated[int, Meta(ge=0, le=65535)]
_Size = Annotated[int, Meta(ge=1)]
_Seconds = Annotated[float, Meta(gt=0, le=7 * 86400)]
_Words = Annotated[str, Meta(min_length=1)]


class GatewayTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[gateway]`. What is left out keeps the default of `GatewayConfig`."""

    host: _Words | UnsetType = UNSET
    port: _Port | UnsetType = UNSET
    token_env: _Words | UnsetType = UNSET
    max_body_bytes: _Size | UnsetType = UNSET
    connect_seconds: _Seconds | UnsetType = UNSET
    answer_seconds: _Seconds | UnsetType = UNSET
    grace_seconds: _Seconds | UnsetType = UNSET
    session_ttl: _Seconds | UnsetType = UNSET
    limit_wait_seconds: Annotated[float, Meta(ge=0, le=3600)] | UnsetType = UNSET
    default_strategy: _Words | UnsetType = UNSET
    default_anthropic: _Words | UnsetType = UNSET
    default_openai: _Words | UnsetType = UNSET
    redis_env: _Words | UnsetType = UNSET


class UpstreamTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[upstreams.NAME]`. A preset's table need say only what is to be different."""

    base_url: _Words | UnsetType = UNSET
    form: Form | UnsetType = UNSET
    key_env: _Words | UnsetType = UNSET
    models: tuple[str, ...] | UnsetType = UNSET
    window: _Words | UnsetType = UNSET
    limits: bool | UnsetType = UNSET


class File(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    gateway: GatewayTable = GatewayTable()
    upstreams: Mapping[str, UpstreamTable] = {}
    rate_limits: tuple[RateLimitRule, ...] = ()
    quotas: tuple[QuotaRule, ...] = ()
    alerts: AlertsConfig = AlertsConfig()
    agents: tuple[AgentConfig, ...] = ()
