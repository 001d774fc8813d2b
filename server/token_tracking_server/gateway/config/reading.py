"""Reads the TOML file. What is wrong in it is said by its key, with what to write instead."""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import UNSET, Struct
from msgspec.structs import asdict, fields, replace

from token_tracking_server.gateway.config.checks import ConfigError, check
from token_tracking_server.gateway.config.file import File, GatewayTable, UpstreamTable
from token_tracking_server.gateway.config.presets import preset_upstreams
from token_tracking_server.gateway.config.values import (
    AgentConfig,
    AlertsConfig,
    GatewayConfig,
    QuotaRule,
    RateLimitRule,
    Upstream,
)

PATH_VARIABLE: Final = "TOKEN_TRACKING_GATEWAY_CONFIG"
STRATEGY_VARIABLE: Final = "DEFAULT_STRATEGY"

_TABLES: Final = {
    "gateway": GatewayTable,
    "upstreams": UpstreamTable,
    "rate_limits": RateLimitRule,
    "quotas": QuotaRule,
    "alerts": AlertsConfig,
    "agents": AgentConfig,
}


def read_config(
    path: Path | None = None,
    *,
    host: str | None = None,
    port: int | None = None,
    environment: Mapping[str, str] = os.environ,
) -> GatewayConfig:
    """The configuration of a TOML file over the presets; without a file the presets alone. `host`
    and `port` are stronger than the file's.

    The file is `path`, or else the one that `TOKEN_TRACKING_GATEWAY_CONFIG` names.
    `DEFAULT_STRATEGY` holds where the file names no `default_strategy`.

    Raises:
        ConfigError: the file cannot be read, is no TOML, has an unknown key or a wrong value, or
            names a variable that the environment lacks.
    """
    named = environment.get(PATH_VARIABLE, "").strip()
    path = path or (Path(named) if named else None)
    file = File() if path is None else _read(path)
    try:
        config = _config(file, environment)
        config = replace(
            config,
            host=config.host if host is None else host,
            port=config.port if port is None else port,
        )
        check(config, environment)
    except ConfigError as error:
        raise error if path is None else ConfigError(f"{path}: {error}") from None
    return config


def _read(path: Path) -> File:
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
        return msgspec.convert(tables, File)
    except OSError as error:
        raise ConfigError(f"Cannot read {path}: {error.strerror or error}.") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not UTF-8 text.") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is no TOML: {error}.") from None
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path}: {_said(str(error))}") from None


def _config(file: File, environment: Mapping[str, str]) -> GatewayConfig:
    given = _given(file.gateway)
    strategy = environment.get(STRATEGY_VARIABLE, "").strip()
    if strategy:
        given.setdefault("default_strategy", strategy)
    return GatewayConfig(
        **given,
        upstreams=_upstreams(file.upstreams, limits=bool(file.rate_limits or file.quotas)),
        rate_limits=file.rate_limits,
        quotas=file.quotas,
        alerts=file.alerts,
        agents=file.agents,
    )


def _upstreams(tables: Mapping[str, UpstreamTable], *, limits: bool) -> tuple[Upstream, ...]:
    """The file's own come first: their patterns are tried before the presets'. `limits` says
    whether those are limited whose table does not say."""
    presets = {preset.name: replace(preset, limits=limits) for preset in preset_upstreams()}
    own = [
        _upstream(name, table, presets.pop(name, None), limits=limits)
        for name, table in tables.items()
    ]
    return (*own, *presets.values())


def _upstream(
    name: str, table: UpstreamTable, preset: Upstream | None, *, limits: bool
) -> Upstream:
    given: dict[str, Any] = {"limits": limits, **_given(table)}
    if preset is not None:
        return replace(preset, **given)
    for key in ("base_url", "form"):
        if key not in given:
            raise ConfigError(f"[upstreams.{name}] needs {key}.")
    return Upstream(name=name, **given)


def _given(table: Struct) -> dict[str, Any]:
    return {key: value for key, value in asdict(table).items() if value is not UNSET}


def _said(message: str) -> str:
    """A validation error by the names of the file, with the keys that there are."""
    text, _, place = message.partition(" - at ")
    where = place.strip("`").removeprefix("$").removeprefix(".").replace("[...]", ".NAME")
    unknown = re.search(r"unknown field `([^`]*)`", text)
    if unknown is None:
        return f"{where or 'the file'}: {text[:1].lower()}{text[1:]}."
    known = ", ".join(_known_keys(where))
    return f"{where or 'the file'} has an unknown key {unknown[1]!r}. There are: {known}."


def _known_keys(where: str) -> list[str]:
    table = re.split(r"[.\[]", where)[0]
    return [field.name for field in fields(_TABLES.get(table, File))]
