"""What the gateway tells of itself, of models, of counts and of sessions.

Tokens are whole numbers, prices USD per million of them; `None` stands for what is not known.
"""

from datetime import datetime
from typing import Any, Literal

from msgspec import Struct


class Upstream(Struct, frozen=True, kw_only=True):
    """An upstream of the gateway, and whose key it is asked with: the environment's (or it is
    missing there), or the caller's own."""

    name: str
    form: Literal["anthropic", "openai"]
    address: str
    key: Literal["environment", "missing", "caller"]


class Recording(Struct, frozen=True, kw_only=True):
    """What became of usage since the gateway started, in messages: `drained` are in the ledger,
    `waiting` on disk, `refused` ones it would not have, and `lost` could be written nowhere."""

    recorded: int
    drained: int
    waiting: int
    refused: int
    lost: int
    problem: str | None


class Health(Struct, frozen=True, kw_only=True):
    """Whether the gateway records without a problem (`ok`), its version, and its upstreams."""

    ok: bool
    version: str
    upstreams: list[Upstream]
    recorder: Recording


class Prices(Struct, frozen=True, kw_only=True):
    """USD per million tokens, today, at the standard tier, for prompts of ordinary length."""

    input: float
    output: float
    cache_read: float
    cache_write_5m: float
    cache_write_1h: float
    source: str


class Model(Struct, frozen=True, kw_only=True):
    """A model of an upstream: its window and longest answer (tokens), and its prices."""

    id: str
    upstream: str
    context_window: int | None
    max_output_tokens: int | None
    prices: Prices | None
    why_no_prices: str | None


class TokenCount(Struct, frozen=True, kw_only=True):
    """Tokens of a text or of messages, and how they were counted. `error_p95` is relative: 19 in 20
    counts were within it; `None` where it was not measured."""

    tokens: int
    method: str
    exact: bool
    error_p95: float | None


class Session(Struct, frozen=True, kw_only=True):
    """A session of the managed chat routes. Its tokens are what was billed for its requests, but
    for the `unbilled_requests`, which told no usage."""

    id: str
    form: Literal["anthropic", "openai"]
    model: str
    upstream: str
    strategy: str
    created_at: datetime
    used_at: datetime
    expires_at: datetime
    messages: int
    requests: int
    prompt_tokens: int
    output_tokens: int
    unbilled_requests: int


class SessionDetail(Session, frozen=True, kw_only=True):
    """A session with its messages in order, in its form, where they were asked for."""

    history: list[Any] | None
