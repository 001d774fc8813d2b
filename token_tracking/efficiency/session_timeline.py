"""A session request by request: the values that every surface shows. Money is USD."""

from decimal import Decimal

from msgspec import Struct

from token_tracking.efficiency.snapshot import Advice, GroupRow, PartialOutput, Reconciled


class TimelineRequest(Struct, frozen=True, kw_only=True):
    """One request of a session: its prompt as it was read, written and fresh, and the ids of the
    items that entered with it. `at` is in milliseconds since 1970 UTC."""

    key: str
    at: int
    chain: str
    model: str | None
    cache_read_tokens: int
    cache_write_5m_tokens: int
    cache_write_1h_tokens: int
    input_tokens: int
    output_tokens: int
    is_final: bool
    cost_usd: Decimal | None
    prompt_cost_usd: Decimal | None
    entered: list[str]


class Timeline(Struct, frozen=True, kw_only=True):
    """A session, request by request. Of one with more requests than were asked for, the first."""

    session_id: str
    project: str | None
    first_at: int
    last_at: int
    requests: list[TimelineRequest]
    total_requests: int
    items: list[GroupRow]
    total_items: int
    prompt_tokens: int
    prompt_cost_usd: Decimal | None
    cost_usd: Decimal | None
    findings: list[Advice]
    reconciliation: Reconciled
    problem: str | None = None
    partial_output: PartialOutput | None = None
