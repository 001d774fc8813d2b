"""The ledger beside the organisation's report, by UTC day and model."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from token_tracking.admin.values import ClaudeCodeRow, OrganizationReport, Source
from token_tracking.pricing import normalize_model
from token_tracking.store import Sums
from token_tracking.usage import SYNTHETIC_MODEL, Usage

Reason = Literal[
    "agree",
    "other_prices",
    "partial_output",
    "other_users",
    "other_machines",
    "not_in_ledger",
    "not_in_report",
    "no_tokens",
]

REASONS: Final[dict[Reason, str]] = {
    "agree": "both have the same tokens",
    "other_prices": "the same tokens at other prices: discounts, or a price list that is not ours",
    "partial_output": "answers of which the ledger has no final count",
    "other_users": "other users or API keys of the organisation, or other machines",
    "other_machines": "other machines or programs that use the same key",
    "not_in_ledger": "nothing of it is in the ledger: other users, machines or programs",
    "not_in_report": (
        "not in the report: a subscription or another organisation paid, or the report is late"
    ),
    "no_tokens": "searches and code execution, which the report prices apart",
}
"""What may explain a difference. A report does not say whose machine a request came from."""

_CENT: Final = 10**10
"""Pico-USD: reports round, and smaller differences are none."""

_ABOUT_USERS: Final = frozenset({"other_users", "other_machines", "not_in_ledger"})
_QUARTERS: Final = 96
_MODELLESS: Final = ""


class DayModel(Struct, frozen=True, kw_only=True):
    """One day and model on both sides. Money is pico-USD, `None` where that side has none.

    `organization_pico` is before discounts where the report tells that, since the ledger knows list
    prices, and `paid_pico` after them. `difference_tokens` is what the organisation has more, of
    all kinds together; negative where the ledger has more.
    """

    day: int
    model: str
    ledger: Sums | None
    organization: Usage | None
    ledger_pico: int | None
    organization_pico: int | None
    paid_pico: int | None
    difference_tokens: int
    reason: Reason
    claude_code_users: int | None = None


class Comparison(Struct, frozen=True, kw_only=True):
    """The ledger beside a report: the days from `first_day` up to, not including, `end_day`.
    `api_keys` is how many used anything; `problem` says why there is no cost where there is none.
    Sums of money are pico-USD, of what each side has."""

    source: Source
    first_day: int
    end_day: int
    api_keys: int
    rows: list[DayModel]
    ledger_pico: int
    organization_pico: int | None
    paid_pico: int | None
    problem: str | None


def ledger_days(cells: Iterable[tuple[int, str, Sums]]) -> dict[tuple[int, str], Sums]:
    """Sums by quarter of an hour and model (`TokenStore.totals`), by UTC day and model."""
    days: defaultdict[tuple[int, str], Sums] = defaultdict(Sums)
    for quarter, model, sums in cells:
        if model != SYNTHETIC_MODEL:
            days[quarter // _QUARTERS, normalize_model(model)] += sums
    return dict(days)


def compare(ledger: Mapping[tuple[int, str], Sums], report: OrganizationReport) -> Comparison:
    """Each day and model that either side has, newest first; of the ledger, the report's days."""
    usage, cost = _usage(report), _cost(report)
    own = {key: sums for key, sums in ledger.items()
           if report.first_day <= key[0] < report.end_day}  # fmt: skip
    keys = {row.api_key for row in report.usage}
    rows = [
        _row(key, own.get(key), usage.get(key), cost.get(key), len(keys))
        for key in sorted({*own, *usage, *cost}, key=lambda key: (-key[0], key[1]))
    ]
    known = report.cost is not None
    return Comparison(
        source=report.source,
        first_day=report.first_day,
        end_day=report.end_day,
        api_keys=len(keys),
        rows=rows,
        ledger_pico=sum(row.ledger_pico or 0 for row in rows),
        organization_pico=sum(row.organization_pico or 0 for row in rows) if known else None,
        paid_pico=sum(row.paid_pico or 0 for row in rows) if known else None,
        problem=report.problem,
    )


def unsettled_days(comparison: Comparison) -> set[int]:
    """The days on which the organisation has more, so that it matters who used Claude Code."""
    return {row.day for row in comparison.rows if row.reason in _ABOUT_USERS}


def with_users(comparison: Comparison, rows: Iterable[ClaudeCodeRow]) -> Comparison:
    """The same comparison, knowing who used Claude Code: of one user alone, what is not in the
    ledger comes from other machines or programs."""
    users: defaultdict[tuple[int, str], set[str]] = defaultdict(set)
    for each in rows:
        users[each.day, normalize_model(each.model)].add(each.actor)
    return replace(comparison, rows=[_known(row, users) for row in comparison.rows])


def _known(row: DayModel, users: Mapping[tuple[int, str], set[str]]) -> DayModel:
    count = len(users.get((row.day, row.model), ()))
    if not count or row.reason not in _ABOUT_USERS:
        return row
    reason: Reason = row.reason
    if row.ledger is not None:
        reason = "other_users" if count > 1 else "other_machines"
    return replace(row, claude_code_users=count, reason=reason)


class _Paid(Struct):
    pico: int = 0
    list_pico: int = 0


def _usage(report: OrganizationReport) -> dict[tuple[int, str], Usage]:
    found: defaultdict[tuple[int, str], Usage] = defaultdict(Usage)
    for row in report.usage:
        found[row.day, _name(row.model)] += row.usage
    return {key: usage for key, usage in found.items() if usage != Usage()}


def _cost(report: OrganizationReport) -> dict[tuple[int, str], _Paid]:
    found: defaultdict[tuple[int, str], _Paid] = defaultdict(_Paid)
    for row in report.cost or ():
        paid = found[row.day, _name(row.model)]
        paid.pico += row.pico
        paid.list_pico += row.pico if row.list_pico is None else row.list_pico
    return {key: paid for key, paid in found.items() if paid.pico or paid.list_pico}


def _name(model: str | None) -> str:
    return _MODELLESS if model is None else normalize_model(model)


def _row(
    key: tuple[int, str], own: Sums | None, usage: Usage | None, paid: _Paid | None, keys: int
) -> DayModel:
    tokens = (usage or Usage()).total_tokens - (own or Sums()).total_tokens
    is_priced = own is not None and own.unpriced_messages < own.messages
    row = DayModel(
        day=key[0],
        model=key[1],
        ledger=own,
        organization=usage,
        ledger_pico=own.cost_pico if own is not None and is_priced else None,
        organization_pico=None if paid is None else paid.list_pico,
        paid_pico=None if paid is None else paid.pico,
        difference_tokens=tokens,
        reason="agree",
    )
    return replace(row, reason=_reason(row, keys))


def _reason(row: DayModel, keys: int) -> Reason:
    own, usage = row.ledger, row.organization
    if own is None:
        return "no_tokens" if usage is None else "not_in_ledger"
    if usage is None or row.difference_tokens < 0:
        return "not_in_report"
    if row.difference_tokens == 0:
        return "other_prices" if _prices_differ(row) else "agree"
    if own.partial_messages and usage.prompt_tokens == own.prompt_tokens:
        return "partial_output"
    return "other_users" if keys > 1 else "other_machines"


def _prices_differ(row: DayModel) -> bool:
    ours, theirs = row.ledger_pico, row.organization_pico
    return ours is not None and theirs is not None and abs(ours - theirs) >= _CENT
