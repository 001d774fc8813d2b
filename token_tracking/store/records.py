"""What the ledger answers with. Money is integer pico-USD where the name says so, else USD."""

from decimal import Decimal
from typing import Final, NamedTuple

from msgspec import Struct

from token_tracking.pricing import usd
from token_tracking.usage import OutputQuality, Usage


class TokenUsage(Struct, frozen=True, kw_only=True):
    """A message of the ledger: what was billed, when, for which session, and what it cost.

    `cost_usd` is `None` where no price is known; `unpriced` then says why.
    """

    message_id: str
    timestamp: int
    usage: Usage
    model: str | None
    session_id: str
    project: str | None
    cwd: str | None
    git_branch: str | None
    source: str
    stop_reason: str | None
    service_tier: str | None
    speed: str | None
    inference_geo: str | None
    version: str | None
    entrypoint: str | None
    agent_id: str | None
    is_sidechain: bool
    attribution: str | None
    category: str | None
    metadata: str | None
    cost_pico: int | None
    no_cache_pico: int | None
    write_premium_pico: int | None
    unpriced: str | None

    @property
    def cost_usd(self) -> Decimal | None:
        """USD; `None` where no price is known."""
        return None if self.cost_pico is None else usd(self.cost_pico)

    @property
    def output_quality(self) -> OutputQuality:
        """Whether `output_tokens` is what was billed, or a lower bound of it."""
        return "partial" if self.stop_reason is None else "final"


class Sums(Struct, frozen=True):
    """Sums over messages. Money covers the priced ones: `unpriced_messages` says how many are not.

    `no_cache_pico` is what the same tokens would have cost without caching, `write_premium_pico`
    what cache writes cost above plain input.
    """

    messages: int = 0
    partial_messages: int = 0
    unpriced_messages: int = 0
    tool_uses: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_5m_tokens: int = 0
    cache_write_1h_tokens: int = 0
    cost_pico: int = 0
    no_cache_pico: int = 0
    write_premium_pico: int = 0

    @classmethod
    def of(cls, message: TokenUsage) -> "Sums":
        """One message; its tool uses are not counted here."""
        usage = message.usage
        return cls(
            messages=1,
            partial_messages=int(message.stop_reason is None),
            unpriced_messages=int(message.cost_pico is None),
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cache_read_tokens=usage.cache_read_tokens,
            cache_write_5m_tokens=usage.cache_write_5m_tokens,
            cache_write_1h_tokens=usage.cache_write_1h_tokens,
            cost_pico=message.cost_pico or 0,
            no_cache_pico=message.no_cache_pico or 0,
            write_premium_pico=message.write_premium_pico or 0,
        )

    @property
    def cache_write_tokens(self) -> int:
        """Tokens written to the cache, of both lifetimes."""
        return self.cache_write_5m_tokens + self.cache_write_1h_tokens

    @property
    def prompt_tokens(self) -> int:
        """Everything that was sent."""
        return self.input_tokens + self.cache_read_tokens + self.cache_write_tokens

    @property
    def total_tokens(self) -> int:
        """Prompt and output together."""
        return self.prompt_tokens + self.output_tokens

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(**{name: getattr(self, name) + getattr(other, name) for name in SUM_FIELDS})

    def __sub__(self, other: "Sums") -> "Sums":
        return Sums(**{name: getattr(self, name) - getattr(other, name) for name in SUM_FIELDS})


SUM_FIELDS: Final = Sums.__struct_fields__


class MessageSums(NamedTuple):
    """One message as sums: its time (milliseconds since 1970 UTC), model ('' where none is named)
    and project (a row of `TokenStore.projects`)."""

    at: int
    model: str
    project: int | None
    sums: Sums


class ToolSum(Struct, frozen=True, kw_only=True):
    """How often a tool was called in a session's own messages, and the bytes it brought."""

    name: str
    server: str | None
    calls: int
    result_bytes: int


class SessionData(Struct, frozen=True, kw_only=True):
    """A session: its own messages in order of time, and how many it inherited from others.

    `models` are the sums of its own messages, the dearest model first ('' where none is named).
    `inherited` maps the session that owns them to their number.
    """

    session_id: str
    project: str | None
    first_at: int
    last_at: int
    messages: list[TokenUsage]
    models: dict[str, Sums]
    inherited: dict[str, int]
    tools: list[ToolSum]

    @property
    def sums(self) -> Sums:
        """Its own messages together."""
        return sum(self.models.values(), start=Sums())


class Saved(Struct, frozen=True, kw_only=True):
    """What a save changed: the sums of the ledger after it, less those before it; and the numbers
    of messages, of all and of those without a price, by model."""

    sums: Sums = Sums()
    sessions: int = 0
    messages_by_model: dict[str, int] = {}
    unpriced_models: dict[str, int] = {}

    def __add__(self, other: "Saved") -> "Saved":
        return Saved(
            sums=self.sums + other.sums,
            sessions=self.sessions + other.sessions,
            messages_by_model=_added(self.messages_by_model, other.messages_by_model),
            unpriced_models=_added(self.unpriced_models, other.unpriced_models),
        )

    @classmethod
    def between(cls, before: dict[str, Sums], after: dict[str, Sums], sessions: int) -> "Saved":
        """What changed from the sums by model before to those after."""
        zero = Sums()
        changes = {
            model: after.get(model, zero) - before.get(model, zero)
            for model in sorted({*before, *after})
        }
        return cls(
            sums=sum(changes.values(), start=zero),
            sessions=sessions,
            messages_by_model={model: sums.messages for model, sums in changes.items()},
            unpriced_models={model: sums.unpriced_messages for model, sums in changes.items()},
        )


def _added(a: dict[str, int], b: dict[str, int]) -> dict[str, int]:
    return {model: a.get(model, 0) + b.get(model, 0) for model in sorted({*a, *b})}
