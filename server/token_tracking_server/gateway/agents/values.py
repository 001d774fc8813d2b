"""What an agent is."""

import re
from collections.abc import Mapping
from typing import Any, Final, Literal

from msgspec import Struct

from token_tracking.window import Budget

LONGEST_NAME: Final = 64
NAME_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
"""An agent's name stands in addresses."""

LONGEST_SYSTEM: Final = 200_000
"""Characters of a system prompt."""

SMALL: Final = Budget.small()

PARTS: Final = ("max_context_tokens", "max_history_tokens", "max_rag_tokens", "max_output_tokens")
"""The fields that are amounts of tokens."""


class Agent(Struct, frozen=True, kw_only=True):
    """Who answers in a conversation: a model behind an upstream, told `system`, within a budget.

    Amounts are tokens, and mean what they mean in `token_tracking.window.Budget`; the defaults are
    those of `Budget.small()`, and `None` means: as much as the model's window has room for. With
    `max_rag_tokens=0` no documents are searched; `category` has only documents of one category of
    the content library searched. `upstream` is a name of the configuration, by default the one that
    the model's name leads to. `strategy` is that of the window manager, by default the gateway's.
    """

    name: str
    model: str
    upstream: str | None = None
    system: str | None = None
    strategy: str | None = None
    category: str | None = None
    max_context_tokens: int | None = SMALL.max_context_tokens
    max_history_tokens: int | None = SMALL.max_history_tokens
    max_rag_tokens: int | None = SMALL.max_rag_tokens
    max_output_tokens: int | None = SMALL.max_output_tokens
    enable_summarization: bool = SMALL.enable_summarization
    summarize_threshold: float = SMALL.summarize_threshold

    @property
    def budget(self) -> Budget:
        """As the window manager takes it.

        Raises:
            InvalidBudgetError: an amount makes no sense, or contradicts another.
        """
        return Budget(
            max_context_tokens=self.max_context_tokens,
            max_history_tokens=self.max_history_tokens,
            max_rag_tokens=self.max_rag_tokens or None,
            max_output_tokens=self.max_output_tokens,
            enable_summarization=self.enable_summarization,
            summarize_threshold=self.summarize_threshold,
        )

    @property
    def has_documents(self) -> bool:
        """Whether documents are searched for its answers."""
        return self.max_rag_tokens != 0


def with_defaults(given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an agent, with history and documents at most its context where they are left
    out: both are parts of it."""
    fields = dict(given)
    context = fields.get("max_context_tokens")
    for name in ("max_history_tokens", "max_rag_tokens"):
        usual: int = getattr(SMALL, name)
        if name not in fields and isinstance(context, int):
            fields[name] = min(usual, context)
    return fields


Source = Literal["configuration", "stored"]
"""Where an agent stands: in the configuration, which only a person changes, or in `gateway.db`."""


def is_agent_name(name: str) -> bool:
    """Whether an agent may be called so."""
    return len(name) <= LONGEST_NAME and re.fullmatch(NAME_PATTERN, name) is not None
