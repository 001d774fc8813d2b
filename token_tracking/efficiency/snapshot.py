"""What a period looked like: the values that every surface shows.

Money is USD (Decimal), `None` where no price is known. `basis` says how a figure is known:
`measured` from billed usage, `estimated`, or `unknown` (then it is `None`).
"""

from decimal import Decimal
from typing import Final, Literal

from msgspec import Struct

from token_tracking.efficiency.baselines import Basis
from token_tracking.shares import Metric

Direction = Literal["improving", "declining", "stable"]
StepSize = Literal["quarter", "hour", "day", "week", "month"]
GroupBy = Literal[
    "item", "path", "tool", "mcp-server", "skill", "agent", "category", "project", "kind"
]


SHARE_ERROR_P95: Final = 0.33
"""The relative error of a tool result's estimated size, in 95 of 100 of those that entered alone
between two requests of real sessions, so that billed growth tells their size (median 11%): `python
-m benchmarks.attribution TREE`."""


PARTIAL_ERROR_P95: Final = 0.71
"""The relative error of an estimate of partial output, by either method, in 95 of 100 answers whose
final count was hidden (`efficiency.partial`): `python -m benchmarks.partial TREE`."""


class Against(Struct, frozen=True, kw_only=True):
    """What was used, beside what a baseline would have used. Tokens are those of prompts.

    `tokens_saved`, `efficiency` (percent of the baseline) and `saved_usd` may be negative: a loss.
    For `no_cache` the tokens are the same, and `efficiency` is that of the money. `requests` are
    those that the figures are of; `priced_requests` those of the money. `error_p95` is the
    relative error of counted tokens, where there is one.
    """

    baseline: str
    requests: int
    priced_requests: int
    prompt_tokens: int
    baseline_tokens: int | None
    tokens_saved: int | None
    efficiency: float | None
    cost_usd: Decimal | None
    baseline_cost_usd: Decimal | None
    saved_usd: Decimal | None
    basis: Basis
    error_p95: float | None = None


class Overall(Struct, frozen=True, kw_only=True):
    """A period in one line. `cost_usd` is that of `messages - unpriced_messages`. Of
    `partial_messages` the output is a lower bound: it is estimated to have `partial_output_tokens`
    more, which are in no other figure; nineteen of twenty estimates are off by at most
    `partial_output_error_p95` (relative), and `partial_output_unknown` messages have none. `basis`
    is that of all other figures here. `baselines` are `no_cache`, `no_jit`, and `no_cache+no_jit`
    together; `no_jit` is there only if something was loaded from a library of known size.
    `prompt_cost_usd` is that of the prompts that are attributed: all but `unattributed_tokens`."""

    sessions: int
    messages: int
    requests: int
    unpriced_messages: int
    partial_messages: int
    input_tokens: int
    cache_read_tokens: int
    cache_write_5m_tokens: int
    cache_write_1h_tokens: int
    output_tokens: int
    prompt_tokens: int
    cost_usd: Decimal | None
    prompt_cost_usd: Decimal | None
    partial_output_tokens: int | None
    partial_output_usd: Decimal | None
    baselines: list[Against]
    basis: Basis = "measured"
    unattributed_tokens: int = 0
    partial_output_basis: Basis = "estimated"
    partial_output_error_p95: float | None = None
    partial_output_unknown: int = 0


class PartialOutput(Struct, frozen=True, kw_only=True):
    """Of `messages` the output is a lower bound: it is estimated to have `tokens` more, for `usd`,
    which are in no other figure. Nineteen of twenty estimates are off by at most `error_p95`
    (relative); `unknown` messages have none."""

    messages: int
    tokens: int | None
    usd: Decimal | None
    basis: Basis
    error_p95: float | None
    unknown: int


class CacheHealth(Struct, frozen=True, kw_only=True):
    """What caching did. Rates are 0 to 1. `net_savings_usd` is net of `write_premium_usd` and of
    `unseen_write_usd`, the premium of calls that stand in no line. `basis` is that of tokens, rates
    and the premium; what was lost by lapses, switches, unread and unseen writes (`lost_basis`)
    rests on lifetimes that are taken to end to the second, and unread writes are an upper bound:
    another session may have read them."""

    read_tokens: int
    write_tokens: int
    hit_rate_tokens: float | None
    hit_rate_requests: float | None
    unread_write_tokens: int
    unread_write_usd: Decimal | None
    lapses: int
    lapse_tokens: int
    lapse_usd: Decimal | None
    switches: int
    switch_usd: Decimal | None
    unseen_write_tokens: int
    unseen_write_usd: Decimal | None
    net_savings_usd: Decimal | None
    write_premium_usd: Decimal | None
    basis: Basis = "measured"
    lost_basis: Basis = "estimated"


class GroupRow(Struct, frozen=True, kw_only=True):
    """Where part of the prompts' money went: one tool, server, path, ... of a period.

    `carried` counts an item once for each request that carried it. `cost_usd` is the sum of
    `first_usd` (the first request of each item) and `carry_usd` (all others). `share` is the part
    of the prompts' cost in the period, 0 to 1. `efficiency` is what caching saved of what the same
    tokens would have cost uncached, in percent, and `saved_usd` the same in money. `item`,
    `session_id` and `entered_at` (milliseconds since 1970 UTC) are there for single items.
    `is_rest` is a row of all that the grouping does not tell apart, such as what came from no MCP
    server: it stands last.
    """

    label: str
    kind: str | None = None
    name: str | None = None
    server: str | None = None
    uri: str | None = None
    agent: str | None = None
    project: str | None = None
    category: str | None = None
    item: str | None = None
    session_id: str | None = None
    entered_at: int | None = None
    loads: int
    tokens: int
    carried: int
    prompt_tokens: int
    cost_usd: Decimal | None
    first_usd: Decimal | None
    carry_usd: Decimal | None
    share: float | None
    efficiency: float | None
    basis: Basis = "estimated"
    saved_usd: Decimal | None = None
    is_rest: bool = False


class TrendPoint(Struct, frozen=True, kw_only=True):
    """One step of a period: a day, an hour or a month of the user's time zone. `start` is in
    milliseconds since 1970 UTC. `models` is the cost of each model, `model_tokens` what was sent
    to it and what it answered."""

    label: str
    start: int
    messages: int
    prompt_tokens: int
    output_tokens: int
    cost_usd: Decimal | None
    hit_rate: float | None
    efficiency: float | None
    models: dict[str, Decimal | None]
    model_tokens: dict[str, int] = {}


class Change(Struct, frozen=True, kw_only=True):
    """One figure against the period before it. `change` is relative (0.1 is a tenth more), `None`
    where the figure was 0 or unknown. `can_tell` is false where so few messages vary so much that
    the difference may be chance: the direction is then `stable`, and `reason` says so."""

    metric: str
    now: float | None
    before: float | None
    change: float | None
    direction: Direction
    can_tell: bool
    reason: str


class Groups(Struct, frozen=True, kw_only=True):
    """The rows of a grouping, in the order of `metric`, and all of the period together: rows that a
    limit left out (`left_out`) are in `totals`. Single items (`by` is `item`) are those that
    entered in the period, each with its cost to the end: of a period that is bounded they make up
    no total, so `totals` and each `share` are `None`. Nineteen of twenty sizes of single results
    are off by at most `error_p95` (relative); sums over many are nearer. `start` and `end` are
    milliseconds since 1970 UTC, half-open."""

    by: GroupBy
    metric: Metric
    period: str
    start: int | None
    end: int | None
    rows: list[GroupRow]
    totals: GroupRow | None
    left_out: int = 0
    error_p95: float = SHARE_ERROR_P95


class Trend(Struct, frozen=True, kw_only=True):
    """A period in steps, and against the period of the same length before it. `direction` is that
    of the cost of a message, in which less is improving."""

    period: str
    step: StepSize
    points: list[TrendPoint]
    changes: list[Change]
    direction: Direction


class Candidate(Struct, frozen=True, kw_only=True):
    """What is worth a look: a group, why (with the threshold it passed), and the money at stake."""

    row: GroupRow
    reason: str
    threshold: str
    at_stake_usd: Decimal


class Reconciled(Struct, frozen=True, kw_only=True):
    """The ledger against the client's own totals (`cost-state` lines), over the sessions that have
    one. `explained` says what the difference is made of, in USD, each part with its basis;
    `unexplained_usd` is the rest."""

    sessions: int
    sessions_without_total: int
    client_usd: Decimal | None
    ledger_usd: Decimal | None
    difference_usd: Decimal | None
    partial_output_usd: Decimal | None
    unseen_calls_usd: Decimal | None
    unexplained_usd: Decimal | None
    reasons: list[str]


class Snapshot(Struct, frozen=True, kw_only=True):
    """A period as a whole. `start` and `end` are milliseconds since 1970 UTC, half-open."""

    period: str
    start: int | None
    end: int | None
    overall: Overall
    by_category: list[GroupRow]
    cache: CacheHealth
    trend: Trend | None
    top_performers: list[GroupRow]
    needs_optimization: list[Candidate]
    reconciliation: Reconciled


class Advice(Struct, frozen=True, kw_only=True):
    """One finding of a period: `title` says it in a line, `evidence` how it is known, `action`
    what to do. `at_stake_usd` is what it cost in the period beyond what it need have."""

    kind: str
    subject: str
    title: str
    evidence: str
    action: str
    at_stake_usd: Decimal
    tokens: int
    count: int
    sessions: int
    session_id: str | None
    basis: Basis
