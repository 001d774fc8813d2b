"""The ledger against the client's own totals, as values."""

from typing import Protocol

from msgspec import Struct

from token_tracking.shares import Facts


class LedgerSums(Protocol):
    """What the ledger has of a session's own messages of one model; `store.Sums` is one."""

    @property
    def messages(self) -> int:
        """Messages."""
        ...

    @property
    def unpriced_messages(self) -> int:
        """Those whose cost is unknown: it is in no sum."""
        ...

    @property
    def input_tokens(self) -> int:
        """Uncached tokens of prompts."""
        ...

    @property
    def output_tokens(self) -> int:
        """Tokens of answers."""
        ...

    @property
    def cache_read_tokens(self) -> int:
        """Tokens read from the cache."""
        ...

    @property
    def cache_write_tokens(self) -> int:
        """Tokens written to the cache."""
        ...

    @property
    def cost_pico(self) -> int:
        """Pico-USD of the messages that have a price."""
        ...


class ModelReconciliation(Struct, frozen=True, kw_only=True):
    """One model of a session, on both sides. The counts are tokens, and what the client has more:
    negative where the ledger has more. Money is pico-USD (in the
    ledger, that of priced messages), `None` on the side that knows nothing of the model."""

    model: str
    client_pico: int | None
    ledger_pico: int | None
    input_tokens_more: int
    output_tokens_more: int
    cache_read_tokens_more: int
    cache_write_tokens_more: int

    @property
    def tokens_agree(self) -> bool:
        """Whether both sides have the same counts of each kind."""
        return not (
            self.input_tokens_more
            or self.output_tokens_more
            or self.cache_read_tokens_more
            or self.cache_write_tokens_more
        )


class SessionReconciliation(Struct, frozen=True, kw_only=True):
    """A session against the client's own total. Money is pico-USD, and `client_pico` is the sum of
    `ledger_pico` and the four parts after it, exactly.

    `ledger_pico` is that of the priced messages. `partial_pico` is estimated for answers without a
    final count, `unseen_pico` for calls that stand in no line but left their cache behind;
    `client_only_pico` is what the client paid for models of which the ledger has no message here.
    `unexplained_pico` is the rest: negative where the ledger, with these, has more. `reasons` say
    what it may be.
    """

    client_pico: int
    ledger_pico: int
    partial_pico: int
    unseen_pico: int
    client_only_pico: int
    unexplained_pico: int
    unpriced_messages: int
    models: tuple[ModelReconciliation, ...]
    reasons: tuple[str, ...]

    @property
    def difference_pico(self) -> int:
        """What the client's total is above the ledger's."""
        return self.client_pico - self.ledger_pico

    def facts(self) -> Facts:
        """The session as facts, to be added up with others."""
        return Facts(
            client_sessions=1,
            client_pico=self.client_pico,
            client_ledger_pico=self.ledger_pico,
            client_partial_pico=self.partial_pico,
            client_unseen_pico=self.unseen_pico + self.client_only_pico,
        )
