"""What a configuration says, checked. Keys stand in the environment and never in here."""

import os
from decimal import Decimal
from typing import Final, Literal

from msgspec import Struct

from token_tracking.limits.quotas.values import ALERT_AT
from token_tracking.sources.replies.values import Form

TOKEN_VARIABLE: Final = "TOKEN_TRACKING_GATEWAY_TOKEN"  # noqa: S105 -- the name of one


class Upstream(Struct, frozen=True, kw_only=True):
    """A provider, or a server that speaks a provider's form.

    `base_url` is what that form's SDK takes: OpenAI's ends in `/v1`, Anthropic's before it.
    `key_env` names the environment's variable whose key goes in place of the caller's; without it
    the caller's own is passed on. `models` are patterns (`gemini-*`) of the models that are asked
    of it where nothing names an upstream. `window` is the strategy that keeps its requests within
    the model's window where a request names none. `limits` says whether its requests are limited:
    by default where the configuration has rate limits or quotas; a request may ask to be, and not
    to be left out.
    """

    name: str
    base_url: str
    form: Form
    key_env: str | None = None
    models: tuple[str, ...] = ()
    window: str | None = None
    limits: bool = False

    def own_key(self) -> str | None:
        """The key that is used in place of the caller's; `None` where the caller's is passed on."""
        return os.environ.get(self.key_env) if self.key_env else None

    def url_of(self, path: str) -> str:
        """Where a path of this form's API (`/v1/messages`) is at this upstream."""
        base = self.base_url.rstrip("/")
        return base + (path.removeprefix("/v1") if self.form == "openai" else path)


class RateLimitRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may be asked a minute; each is a pattern, and `None` is no limit. The first rule that
    fits counts. `tokens` are input and output together, as OpenAI and Groq count them. `key` is a
    key's fingerprint, as the gateway's metadata has it."""

    upstream: str = "*"
    model: str = "*"
    key: str = "*"
    requests: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    tokens: int | None = None


class QuotaRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may be used in a period: tokens, USD or both. `name` `*` is each one by itself.

    A hard quota refuses, a soft one alerts. `alert_at` are shares of it. A hard quota of USD
    refuses a model without a known price, unless `allows_unpriced`.
    """

    subject: Literal["user", "agent", "project", "key"]
    name: str = "*"
    period: Literal["day", "week", "month"]
    tokens: int | None = None
    usd: Decimal | None = None
    hard: bool = True
    allows_unpriced: bool = False
    alert_at: tuple[float, ...] = ALERT_AT


class AlertsConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where alerts go, beside the dashboard and MCP: the log, a webhook whose URL stands in the
    environment (it is a secret), a command that reads JSON."""

    log: bool = True
    webhook_env: str | None = None
    command: tuple[str, ...] = ()


Tokens = int | Literal["window"]
"""A part of a budget; `window` is as much as the model's window has room for."""


class AgentConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An agent of conversations, with its budget. What is left out (`None`) has the default of
    small budgets, of which history and documents are at most the context. `category` is that of
    the documents that are searched, by default all."""

    name: str
    model: str
    upstream: str | None = None
    system: str = ""
    strategy: str | None = None
    category: str | None = None
    max_context_tokens: Tokens | None = None
    max_history_tokens: Tokens | None = None
    max_rag_tokens: Tokens | None = None
    max_output_tokens: Tokens | None = None
    enable_summarization: bool | None = None
    summarize_threshold: float | None = None


class GatewayConfig(Struct, frozen=True, kw_only=True):
    """Sizes are bytes, times seconds. `token_env` names the variable that holds the token.

    `default_anthropic` and `default_openai` name the upstreams of requests of these forms that
    nothing else sends elsewhere. `answer_seconds` bounds a whole call, and `grace_seconds` what is
    under way when the gateway is told to end. `session_ttl` counts from a session's last use.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    token_env: str = TOKEN_VARIABLE
    max_body_bytes: int = 256 << 20
    connect_seconds: float = 10.0
    answer_seconds: float = 3600.0
    grace_seconds: float = 30.0
    session_ttl: float = 86400.0
    default_strategy: str = "default"
    redis_env: str | None = None
    limit_wait_seconds: float = 60.0
    upstreams: tuple[Upstream, ...] = ()
    default_anthropic: str = "anthropic"
    default_openai: str = "openai"
    rate_limits: tuple[RateLimitRule, ...] = ()
    quotas: tuple[QuotaRule, ...] = ()
    alerts: AlertsConfig = AlertsConfig()
    agents: tuple[AgentConfig, ...] = ()

    def token(self) -> str | None:
        """What callers must show; `None` where nothing is asked of them."""
        return os.environ.get(self.token_env) or None
