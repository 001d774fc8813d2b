"""What the page asks for."""

from collections.abc import Mapping
from datetime import tzinfo
from decimal import Decimal
from typing import Final, Protocol

from msgspec import Struct

from token_tracking.efficiency.session_timeline import Timeline
from token_tracking.efficiency.snapshot import Advice, GroupBy, GroupRow, Groups, Snapshot, Trend
from token_tracking.shares import Metric
from token_tracking_server.limits import Limits

GROUP_FIELDS: Final = ("kind", "name", "server", "uri", "agent", "category")
"""The fields of a row that tell its group from the others."""


class LedgerState(Struct, frozen=True, kw_only=True):
    """The ledger as it is now.

    `version` changes whenever the figures may have. `last_at` is the end of the newest session, in
    milliseconds since 1970 UTC. `problem` says why the figures are not up to date. `claude_dirs`
    are the folders that are read.
    """

    version: str
    timezone: str
    messages: int
    last_at: int | None
    database: str
    claude_dirs: list[str]
    problem: str | None = None


class SessionRow(Struct, frozen=True, kw_only=True):
    """One session in a list. Times are milliseconds since 1970 UTC; `cost_usd` is `None` where no
    message has a price."""

    session_id: str
    project: str | None
    first_at: int | None
    last_at: int | None
    messages: int
    prompt_tokens: int
    output_tokens: int
    cost_usd: Decimal | None
    unpriced_messages: int = 0


class SessionPage(Struct, frozen=True, kw_only=True):
    """Some sessions, the newest first. `next_offset` is `None` on the last page."""

    sessions: list[SessionRow]
    next_offset: int | None


class GroupItems(Struct, frozen=True, kw_only=True):
    """Single items of a group that entered in a period, the dearest first. `group` is its row, if
    it is among the first of its grouping. `looked_at` says among how many of the dearest items of
    the period they were found: the group may have cheaper ones. It is `None` where there can be no
    dearer ones. Nineteen of twenty sizes are off by at most `error_p95` (relative)."""

    group: GroupRow | None
    rows: list[GroupRow]
    looked_at: int | None
    error_p95: float


class Figures(Protocol):
    """The questions behind the page.

    All raise:
        TokenTrackingError: what was asked for does not exist, or the ledger cannot be read.
    """

    @property
    def zone(self) -> tzinfo:
        """Whose days the figures are by."""
        ...

    async def state(self) -> LedgerState:
        """The ledger as it is now."""
        ...

    async def refresh(self) -> str:
        """Read what is new in the transcripts; the ledger's version after it."""
        ...

    async def snapshot(self, period: str, project: str | None) -> Snapshot:
        """A period as a whole."""
        ...

    async def trend(self, period: str, project: str | None) -> Trend:
        """A period in steps."""
        ...

    async def groups(
        self, by: GroupBy, period: str, project: str | None, metric: Metric, limit: int
    ) -> Groups:
        """Where the prompts' money went, the most first."""
        ...

    async def items(
        self, by: GroupBy, of: Mapping[str, str], period: str, project: str | None, limit: int
    ) -> GroupItems:
        """The dearest items of the group of `by` that has these fields (of `GROUP_FIELDS`; those
        that are missing are empty)."""
        ...

    async def sessions(self, project: str | None, offset: int, limit: int) -> SessionPage:
        """Sessions, the newest first."""
        ...

    async def timeline(self, session_id: str) -> Timeline:
        """One session, request by request."""
        ...

    async def advice(self, period: str, project: str | None) -> list[Advice]:
        """What to do, the most money first."""
        ...

    async def limits(self) -> Limits:
        """The gateway's quotas, and the newest alerts."""
        ...

    async def close(self) -> None:
        """Close what is open."""
        ...
