"""What `ContextWindow.prepare` hands back."""

from decimal import Decimal
from typing import Any

from msgspec import Struct

from token_tracking.window.blocks import PlainMessage
from token_tracking.window.prompt_cache import Breakpoint, CacheUse


class Tokens(Struct, frozen=True, kw_only=True):
    """The prompt tokens by part. `history` are the turns before the last, `user` is the last turn
    (its documents apart). `overhead` is what the provider billed beyond the parts, spread over no
    part (may be negative). `error_p95` is relative and of `total`, `None` where no error was
    measured; `method` says how `total` is known.
    """

    system: int
    tools: int
    history: int
    documents: int
    user: int
    overhead: int
    total: int
    method: str
    exact: bool
    error_p95: float | None


class Action(Struct, frozen=True, kw_only=True):
    """What a policy did to this request, or why it did nothing: `tokens` are those it took out."""

    policy: str
    what: str
    why: str
    tokens: int = 0
    is_done: bool = True


class Costs(Struct, frozen=True, kw_only=True):
    """What the prompts are expected to cost, in USD: of this request (`now`) and of it with those
    that are expected to come (`expected`), as it is sent and left alone. Answers are not in it.
    `None` where no price of the model is known; `basis` is always `estimated`.

    `cache` says how this request's prompt tokens are expected to be billed.
    """

    now_usd: Decimal | None
    alone_now_usd: Decimal | None
    expected_usd: Decimal | None
    alone_expected_usd: Decimal | None
    remaining_requests: float
    cache: CacheUse
    basis: str = "estimated"


class Alert(Struct, frozen=True, kw_only=True):
    """The prompt passed a share of `window`, on its way up: of the tokens that a prompt may have
    (the budget's, else the model's window less what is kept free for the answer). `filling` are
    the parts and tools with most tokens in it, the most first."""

    share: float
    tokens: int
    window: int
    filling: tuple[tuple[str, int], ...]

    def __str__(self) -> str:
        most = ", ".join(f"{name} {tokens:,}" for name, tokens in self.filling[:3])
        return (
            f"{self.tokens:,} of {self.window:,} tokens ({self.share:.0%} passed);"
            f" most of it: {most}"
        )


class Prepared(Struct, frozen=True, kw_only=True):
    """A request that fits, is valid, and is ready to be sent.

    `form` is the API's: `anthropic` or `openai`. `messages`, `system` and `tools` go to the
    provider as they are; `params` are further arguments that a policy asks for (context editing,
    beta headers); `max_tokens` is what is recommended for the answer. The rest says what was done.
    """

    form: str
    messages: list[PlainMessage]
    system: Any
    tools: Any
    params: dict[str, Any]
    max_tokens: int
    tokens: Tokens
    costs: Costs
    actions: tuple[Action, ...]
    breakpoints: tuple[Breakpoint, ...]
    alerts: tuple[Alert, ...]

    def request(self) -> dict[str, Any]:
        """The keyword arguments of `client.messages.create` (Anthropic) or
        `client.chat.completions.create` (OpenAI), but for the model."""
        limit = "max_completion_tokens" if self.form == "openai" else "max_tokens"
        given = {"messages": self.messages, limit: self.max_tokens, **self.params}
        if self.system is not None:
            given["system"] = self.system
        if self.tools is not None:
            given["tools"] = self.tools
        return given
