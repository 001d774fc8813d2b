"""The configuration: what is right in it, and how it is said what is wrong."""

from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from token_tracking_server.gateway.config import (
    AgentConfig,
    AlertsConfig,
    ConfigError,
    GatewayConfig,
    QuotaRule,
    RateLimitRule,
    Upstream,
    preset_upstreams,
    read_config,
)
from token_tracking_server.gateway.managing.strategies import STRATEGIES

_WHOLE = """
[gateway]
host = "localhost"
port = 9000
token_env = "MY_TOKEN"
max_body_bytes = 1000
session_ttl = 60
default_strategy = "hybrid"
default_openai = "mine"

[upstreams.mine]
base_url = "https://llm.example.com/api/v1/"
form = "openai"
key_env = "MY_KEY"
models = ["my-*"]
window = "default"
limits = true

[upstreams.anthropic]
base_url = "http://127.0.0.1:9999"

[[rate_limits]]
upstream = "mine"
requests = 50
input_tokens = 40000

[[quotas]]
subject = "user"
period = "day"
usd = 2.5
hard = true
alert_at = [0.5, 0.9]

[alerts]
log = false
command = ["notify-send", "tokens"]

[[agents]]
name = "reviewer"
model = "my-large"
upstream = "mine"
max_context_tokens = 6000
"""
_STRATEGIES = f"There are: {', '.join(STRATEGIES)}"


def _written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "gateway.toml"
    path.write_text(text, encoding="utf-8")
    return path


def _refused(tmp_path: Path, text: str, environment: dict[str, str] | None = None) -> str:
    path = _written(tmp_path, text)
    with pytest.raises(ConfigError) as refused:
        read_config(path, environment=environment or {})
    return str(refused.value).replace(str(path), "FILE")


def _read(tmp_path: Path, text: str) -> GatewayConfig:
    return read_config(_written(tmp_path, text), environment={})


def test_an_upstream_can_be_left_out_of_the_limits(tmp_path: Path) -> None:
    text = "[[rate_limits]]\nrequests = 5\n[upstreams.local]\nlimits = false\n"
    config = read_config(_written(tmp_path, text), environment={})
    assert {each.name for each in config.upstreams if not each.limits} == {"local"}


def test_without_a_file_the_presets_are_there() -> None:
    assert read_config(environment={}) == GatewayConfig(upstreams=preset_upstreams())


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    environment = {"MY_KEY": "sk-1", "MY_TOKEN": "t"}
    config = read_config(_written(tmp_path, _WHOLE), environment=environment)
    anthropic, *others = preset_upstreams()
    assert config == GatewayConfig(
        host="localhost",
        port=9000,
        token_env="MY_TOKEN",
        max_body_bytes=1000,
        session_ttl=60.0,
        default_strategy="hybrid",
        default_openai="mine",
        upstreams=(
            Upstream(
                name="mine",
                base_url="https://llm.example.com/api/v1/",
                form="openai",
                key_env="MY_KEY",
                models=("my-*",),
                window="default",
                limits=True,
            ),
            Upstream(
                name="anthropic",
                base_url="http://127.0.0.1:9999",
                form="anthropic",
                models=anthropic.models,
                limits=True,
            ),
            *(replace(other, limits=True) for other in others),
        ),
        rate_limits=(RateLimitRule(upstream="mine", requests=50, input_tokens=40_000),),
        quotas=(
            QuotaRule(
                subject="user", period="day", usd=Decimal("2.5"), hard=True, alert_at=(0.5, 0.9)
            ),
        ),
        alerts=AlertsConfig(log=False, command=("notify-send", "tokens")),
        agents=(
            AgentConfig(
                name="reviewer", model="my-large", upstream="mine", max_context_tokens=6000
            ),
        ),
    )
    assert "sk-1" not in repr(config)


def test_the_environment_names_the_file_and_the_strategy(tmp_path: Path) -> None:
    path = _written(tmp_path, "[gateway]\nport = 9001\n")
    environment = {
        "TOKEN_TRACKING_GATEWAY_CONFIG": str(path),
        "DEFAULT_STRATEGY": "sliding_window",
    }
    config = read_config(environment=environment)
    assert (config.port, config.default_strategy) == (9001, "sliding_window")


def test_the_command_line_is_stronger_than_the_file(tmp_path: Path) -> None:
    path = _written(tmp_path, '[gateway]\nport = 9001\nhost = "127.0.0.2"\n')
    config = read_config(path, host="127.0.0.1", port=0, environment={})
    assert (config.host, config.port) == ("127.0.0.1", 0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "[gateway",
            (
                "FILE is no TOML: Expected ']' at the end of a table declaration (at end of "
                "document)."
            ),
        ),
        (
            "[gatewax]",
            (
                "FILE: the file has an unknown key 'gatewax'. There are: gateway, upstreams, "
                "rate_limits, quotas, alerts, agents."
            ),
        ),
        (
            "[alerts]\nlogg = true",
            "FILE: alerts has an unknown key 'logg'. There are: log, webhook_env, command.",
        ),
        (
            '[upstreams.groq]\nurl = "x"',
            (
                "FILE: upstreams.NAME has an unknown key 'url'. There are: base_url, form, "
                "key_env, models, window, limits."
            ),
        ),
        (
            '[gateway]\nport = "8080"',
            "FILE: gateway.port: expected `int`, got `str`.",
        ),
        (
            "[gateway]\nport = 70000",
            "FILE: gateway.port: expected `int` <= 65535.",
        ),
        (
            '[upstreams.mine]\nform = "openai"',
            "FILE: [upstreams.mine] needs base_url.",
        ),
        (
            '[upstreams.groq]\nbase_url = "api.groq.com"',
            (
                "FILE: upstreams.groq.base_url is no http or https URL, such as "
                "https://api.example.com/v1."
            ),
        ),
        (
            '[upstreams.groq]\nbase_url = "https://me:pass@x"',
            (
                "FILE: upstreams.groq.base_url holds a password: name the key's variable in "
                "key_env instead."
            ),
        ),
        (
            '[upstreams.groq]\nkey_env = "GROQ_API_KEY"',
            "FILE: The environment has no GROQ_API_KEY. Set it, or leave its name out.",
        ),
        (
            '[upstreams.v1]\nbase_url = "http://x"\nform = "openai"',
            "FILE: [upstreams.v1]: a name has letters, digits, '.', '_' and '-', and is not v1.",
        ),
        (
            '[gateway]\ndefault_openai = "anthropic"',
            "FILE: gateway.default_openai: anthropic speaks anthropic's form.",
        ),
        (
            '[gateway]\ndefault_openai = "x"',
            (
                "FILE: gateway.default_openai: no upstream 'x'. There are: anthropic, "
                "openai, gemini, groq, local."
            ),
        ),
        (
            '[[agents]]\nname = "a"\nmodel = "m"\nupstream = "x"',
            (
                "FILE: Agent 'a': no upstream 'x'. There are: anthropic, openai, gemini, "
                "groq, local."
            ),
        ),
        (
            '[[quotas]]\nsubject = "user"\nperiod = "day"',
            "FILE: The day quota of user needs tokens or usd.",
        ),
        (
            '[[quotas]]\nsubject = "user"\nperiod = "year"\ntokens = 1',
            "FILE: quotas[0].period: invalid enum value 'year'.",
        ),
        (
            "[[rate_limits]]\nrequests = 0",
            "FILE: A limit of 0 would refuse everything: write one above 0.",
        ),
        (
            '[[rate_limits]]\nupstream = "nosuch"\nrequests = 1',
            (
                "FILE: rate_limits.upstream: 'nosuch' fits no upstream. There are: anthropic, "
                "openai, gemini, groq, local."
            ),
        ),
        (
            '[upstreams.openai]\nwindow = "nosuch"',
            f"FILE: upstreams.openai.window: no strategy 'nosuch'. {_STRATEGIES}, on, off.",
        ),
        (
            '[gateway]\ndefault_strategy = "on"',
            f"FILE: gateway.default_strategy: no strategy 'on'. {_STRATEGIES}.",
        ),
        (
            '[[agents]]\nname = "a"\nmodel = "m"\nstrategy = "off"',
            f"FILE: Agent 'a': no strategy 'off'. {_STRATEGIES}.",
        ),
    ],
)
def test_what_is_wrong_is_said_by_its_key(tmp_path: Path, text: str, said: str) -> None:
    assert _refused(tmp_path, text) == said


@pytest.mark.parametrize("pattern", ["groq", "g*", "*"])
def test_a_rate_limit_may_be_for_several_upstreams(tmp_path: Path, pattern: str) -> None:
    config = _read(tmp_path, f'[[rate_limits]]\nupstream = "{pattern}"\nrequests = 1')
    assert config.rate_limits[0].upstream == pattern


@pytest.mark.parametrize("window", ["default", "hybrid", "none", "on", "off"])
def test_an_upstreams_window_is_a_strategy_or_on_or_off(tmp_path: Path, window: str) -> None:
    config = _read(tmp_path, f'[upstreams.openai]\nwindow = "{window}"')
    assert config.upstreams[0].window == window


def test_an_address_that_others_reach_takes_a_token(tmp_path: Path) -> None:
    text = '[gateway]\nhost = "0.0.0.0"'
    assert "0.0.0.0 can be reached from other machines" in _refused(tmp_path, text)
    environment = {"TOKEN_TRACKING_GATEWAY_TOKEN": "t"}
    assert read_config(_written(tmp_path, text), environment=environment).host == "0.0.0.0"


def test_a_key_that_would_break_a_header_is_refused_without_being_shown(tmp_path: Path) -> None:
    text = '[upstreams.groq]\nkey_env = "K"'
    said = _refused(tmp_path, text, {"K": "sk-secret\r\nx-injected: 1"})
    assert said == "FILE: K holds spaces or characters that no key has. Set it anew."


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file or directory"):
        read_config(tmp_path / "nothing.toml", environment={})


def test_a_file_that_is_no_text_is_said(tmp_path: Path) -> None:
    path = tmp_path / "gateway.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="is not UTF-8 text"):
        read_config(path, environment={})
