"""What no type says of a configuration: that its names, addresses and variables exist."""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Final
from urllib.parse import urlsplit

from token_tracking.errors import TokenTrackingError
from token_tracking_server.gateway.config.values import GatewayConfig, Upstream
from token_tracking_server.gateway.managing.strategies import ON, STRATEGIES
from token_tracking_server.listening import is_loopback

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_WINDOWS: Final = (*STRATEGIES, ON, "off")
_PRINTABLE: Final = re.compile(r"[\x21-\x7e]+")


class ConfigError(TokenTrackingError):
    """The gateway's configuration cannot be used."""


def check(config: GatewayConfig, environment: Mapping[str, str]) -> None:
    """Raises `ConfigError` at the first thing that cannot be."""
    for upstream in config.upstreams:
        _check_upstream(upstream, environment)
    _check_defaults(config)
    _check_token(config, environment)
    for variable in (config.redis_env, config.alerts.webhook_env):
        if variable:
            _require(variable, environment)
    _check_agents(config)
    _check_patterns(config)
    _check_strategies(config)
    for quota in config.quotas:
        if quota.tokens is None and quota.usd is None:
            raise ConfigError(f"The {quota.period} quota of {quota.subject} needs tokens or usd.")
        if any(not 0 < share <= 10 for share in quota.alert_at):
            raise ConfigError("quotas.alert_at are shares, such as 0.8 for 80%.")
    for value in _counts(config):
        if value is not None and value <= 0:
            raise ConfigError(f"A limit of {value} would refuse everything: write one above 0.")


def _check_upstream(upstream: Upstream, environment: Mapping[str, str]) -> None:
    name = upstream.name
    if not _NAME.fullmatch(name) or name == "v1":
        raise ConfigError(
            f"[upstreams.{name}]: a name has letters, digits, '.', '_' and '-', and is not v1."
        )
    _check_address(upstream)
    if upstream.key_env:
        _require(upstream.key_env, environment)


def _check_address(upstream: Upstream) -> None:
    place = f"upstreams.{upstream.name}.base_url"
    try:
        parts = urlsplit(upstream.base_url)
        has_host = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        raise ConfigError(f"{place} is no URL.") from None
    if parts.scheme not in {"http", "https"} or not has_host:
        raise ConfigError(f"{place} is no http or https URL, such as https://api.example.com/v1.")
    if parts.username or parts.password:
        raise ConfigError(f"{place} holds a password: name the key's variable in key_env instead.")
    if parts.query or parts.fragment:
        raise ConfigError(f"{place} ends before any ? or #.")


def _require(variable: str, environment: Mapping[str, str]) -> None:
    value = environment.get(variable, "")
    if not value:
        raise ConfigError(f"The environment has no {variable}. Set it, or leave its name out.")
    if not _PRINTABLE.fullmatch(value):
        raise ConfigError(f"{variable} holds spaces or characters that no key has. Set it anew.")


def _check_defaults(config: GatewayConfig) -> None:
    forms = {upstream.name: upstream.form for upstream in config.upstreams}
    for form, name in (("anthropic", config.default_anthropic), ("openai", config.default_openai)):
        if name not in forms:
            raise ConfigError(f"gateway.default_{form}: no upstream {name!r}. {_these(forms)}")
        if forms[name] != form:
            raise ConfigError(f"gateway.default_{form}: {name} speaks {forms[name]}'s form.")


def _check_token(config: GatewayConfig, environment: Mapping[str, str]) -> None:
    if environment.get(config.token_env):
        _require(config.token_env, environment)
    elif not is_loopback(config.host):
        raise ConfigError(
            f"{config.host} can be reached from other machines, which takes a token that callers"
            f" show: set {config.token_env} to one (python -c 'import secrets;"
            " print(secrets.token_urlsafe())'), or listen on 127.0.0.1."
        )


def _check_agents(config: GatewayConfig) -> None:
    upstreams = [upstream.name for upstream in config.upstreams]
    seen: set[str] = set()
    for agent in config.agents:
        if agent.name in seen:
            raise ConfigError(f"There are two agents named {agent.name!r}.")
        seen.add(agent.name)
        if agent.upstream is not None and agent.upstream not in upstreams:
            raise ConfigError(
                f"Agent {agent.name!r}: no upstream {agent.upstream!r}. {_these(upstreams)}"
            )


def _check_patterns(config: GatewayConfig) -> None:
    names = [upstream.name for upstream in config.upstreams]
    for rule in config.rate_limits:
        if not any(fnmatchcase(name, rule.upstream) for name in names):
            raise ConfigError(
                f"rate_limits.upstream: {rule.upstream!r} fits no upstream. {_these(names)}"
            )


def _check_strategies(config: GatewayConfig) -> None:
    _require_one_of(STRATEGIES, config.default_strategy, "gateway.default_strategy")
    for upstream in config.upstreams:
        _require_one_of(_WINDOWS, upstream.window, f"upstreams.{upstream.name}.window")
    for agent in config.agents:
        _require_one_of(STRATEGIES, agent.strategy, f"Agent {agent.name!r}")


def _require_one_of(names: Iterable[str], name: str | None, place: str) -> None:
    if name is not None and name not in names:
        raise ConfigError(f"{place}: no strategy {name!r}. {_these(names)}")


def _counts(config: GatewayConfig) -> Iterable[int | Decimal | None]:
    for rule in config.rate_limits:
        yield from (rule.requests, rule.input_tokens, rule.output_tokens, rule.tokens)
    for quota in config.quotas:
        yield from (quota.tokens, quota.usd)


def _these(names: Iterable[str]) -> str:
    return f"There are: {', '.join(names)}."
