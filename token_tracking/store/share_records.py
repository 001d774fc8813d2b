"""What the ledger answers with about attribution. Money is integer pico-USD."""

from typing import NamedTuple

from msgspec import Struct

from token_tracking.shares import ItemRecord
from token_tracking.store.records import Sums


class Due(NamedTuple):
    """A session to attribute, and the revision of the ledger that changed it last."""

    session_id: str
    since: int


class TopItem(Struct, frozen=True, kw_only=True):
    """One item among those of all sessions."""

    session_id: str
    project: str | None
    item: ItemRecord


class StoredAttribution(Struct, frozen=True, kw_only=True):
    """What a session was attributed: its prompt tokens and their cost, `details` as they were
    counted, or why it was not (`problem`). `prompt_pico` is `None` where no request has a price."""

    prompt_tokens: int
    prompt_pico: int | None
    details: dict[str, int]
    problem: str | None


class FindingSums(Struct, frozen=True, kw_only=True):
    """The findings of one kind and subject over a period. `session_id`, `at`, `item` and
    `top_pico` are those of the dearest. `is_measured` says that all of them are."""

    kind: str
    subject: str
    pico: int
    tokens: int
    count: int
    sessions: int
    is_measured: bool
    session_id: str
    at: int
    item: str | None
    top_pico: int


class SessionRow(Struct, frozen=True, kw_only=True):
    """A session in a list: the sums of its own messages. Times are milliseconds since 1970 UTC."""

    session_id: str
    project: str | None
    first_at: int
    last_at: int
    sums: Sums


class ProjectSums(Struct, frozen=True, kw_only=True):
    """A project over a period: the sums of its messages by model ('' where none is named)."""

    project: str | None
    models: dict[str, Sums]

    @property
    def sums(self) -> Sums:
        """All models together."""
        return sum(self.models.values(), start=Sums())
