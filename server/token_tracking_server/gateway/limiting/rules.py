"""What the configuration says of limits, in the library's values."""

import os
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from fnmatch import fnmatchcase

from token_tracking.limits import (
    AlertSink,
    CommandSink,
    LogSink,
    MemoryRateStorage,
    Quota,
    RateKey,
    RateLimit,
    RedisRateStorage,
    WebhookSink,
)
from token_tracking.limits.rate import RateStorage
from token_tracking_server.gateway.config import GatewayConfig, QuotaRule, RateLimitRule
from token_tracking_server.gateway.config.values import AlertsConfig


def limits_by_key(rules: Sequence[RateLimitRule]) -> Callable[[RateKey], RateLimit]:
    """The limit of each key: that of the first rule that fits, else what responses tell."""

    def limit_for(key: RateKey) -> RateLimit:
        for rule in rules:
            if _fits(rule, key):
                return RateLimit(
                    requests=rule.requests,
                    input_tokens=rule.input_tokens,
                    output_tokens=rule.output_tokens,
                    tokens=rule.tokens,
                )
        return RateLimit()

    return limit_for


def quotas_of(config: GatewayConfig) -> list[Quota]:
    """The quotas.

    Raises:
        InvalidQuotaError: one contradicts itself or another.
    """
    return [_quota(rule) for rule in config.quotas]


def sinks_of(alerts: AlertsConfig, environment: Mapping[str, str] = os.environ) -> list[AlertSink]:
    """Where alerts go.

    Raises:
        AlertError: the webhook's address is none.
    """
    sinks: list[AlertSink] = [LogSink()] if alerts.log else []
    if alerts.webhook_env is not None and (url := environment.get(alerts.webhook_env)):
        sinks.append(WebhookSink(url))
    if alerts.command:
        sinks.append(CommandSink(alerts.command))
    return sinks


def storage_of(config: GatewayConfig, environment: Mapping[str, str] = os.environ) -> RateStorage:
    """Redis where the configuration names it, else this process's memory."""
    url = environment.get(config.redis_env) if config.redis_env else None
    return RedisRateStorage(url) if url else MemoryRateStorage()


def _quota(rule: QuotaRule) -> Quota:
    return Quota(
        subject=rule.subject,
        name=rule.name,
        period=rule.period,
        tokens=rule.tokens,
        usd=None if rule.usd is None else Decimal(rule.usd),
        is_hard=rule.hard,
        alert_at=rule.alert_at,
        allows_unpriced=rule.allows_unpriced,
    )


def _fits(rule: RateLimitRule, key: RateKey) -> bool:
    return (
        fnmatchcase(key.upstream, rule.upstream)
        and fnmatchcase(key.model, rule.model)
        and fnmatchcase(key.key, rule.key)
    )
