"""What the money of prompts went to, in groups: rows of a report, their order and their sum."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Final

from msgspec.structs import astuple, replace

from token_tracking.efficiency.groupings import Group, category, described, key_of
from token_tracking.efficiency.snapshot import GroupRow
from token_tracking.efficiency.words import item_words, label_words
from token_tracking.errors import UnknownMetricError
from token_tracking.pricing import usd
from token_tracking.shares import METRICS, ItemRecord, Metric, ShareLabel, ShareSums

FLOOR: Final = 0.001
"""The share of a period's prompt tokens from which on a group is ranked by efficiency. Of less,
no percentage moves the period's bill by more than about a thousandth."""

_ANY: Final = ShareLabel("")

Share = tuple[str | None, ShareLabel, ShareSums]
"""A project, what was carried in its sessions, and what that cost."""


def check_metric(metric: str) -> Metric:
    """The metric of this name.

    Raises:
        UnknownMetricError: there is none.
    """
    for known in METRICS:
        if known == metric:
            return known
    raise UnknownMetricError(
        f"There is no metric {metric[:50]!r}: those that there are: {', '.join(METRICS)}."
    )


def total_shares(shares: Iterable[Share]) -> ShareSums:
    """All of them together."""
    return _summed([sums for _, _, sums in shares])


def group_rows(by: str, shares: Iterable[Share], whole: ShareSums | None = None) -> list[GroupRow]:
    """The shares of a period by `by`, the dearest first: their sums are those of all shares.
    Shares of the money are those of `whole`, which is all of them where they are not all.

    Single items are no groups: see `item_row`.

    Raises:
        UnknownMetricError: there is no such grouping.
    """
    key = key_of(by)
    # A group is of the label or of the project: there are far fewer of either than rows.
    parts: dict[tuple[str | None, ShareLabel], list[ShareSums]] = {}
    for project, label, sums in shares:
        part = (project, _ANY) if by == "project" else (None, label)
        parts.setdefault(part, []).append(sums)
    found: dict[tuple[str | None, ...], tuple[Group, list[ShareSums]]] = {}
    for (project, label), sums in parts.items():
        group = key(project, label)
        found.setdefault(group.key, (group, []))[1].extend(sums)
    rows = [(group, _summed(sums)) for group, sums in found.values()]
    total = whole or _summed([sums for _, sums in rows])
    return ranked([_group_row(group, sums, total) for group, sums in rows], "cost")


def _summed(rows: Iterable[ShareSums]) -> ShareSums:
    """By columns: a period of many projects has thousands of rows."""
    return ShareSums(*map(sum, zip(*map(astuple, rows), strict=True)))


def ranked(
    rows: Iterable[GroupRow], metric: str, limit: int | None = None, *, floor: int = 0
) -> list[GroupRow]:
    """The rows with most of `metric` first, and the rest of a grouping last.

    `cost` is the whole cost, `tokens` what entered, `carried` the prompt tokens of all requests
    that carried it, and `efficiency` the percentage that caching saved: that of groups with at
    least `floor` prompt tokens (see `FLOOR`), as others would be at the top by chance.

    Raises:
        UnknownMetricError: there is no such metric.
    """
    value = _VALUES[check_metric(metric)]
    chosen = [row for row in rows if metric != "efficiency" or row.prompt_tokens >= floor]
    known = [row for row in chosen if value(row) is not None]
    known.sort(key=lambda row: (row.is_rest, -(value(row) or 0), row.label, row.item or ""))
    if metric != "efficiency":
        known += sorted((row for row in chosen if value(row) is None), key=lambda row: row.label)
    return known[:limit]


def floor_of(total: ShareSums) -> int:
    """The prompt tokens from which on a group is ranked by efficiency."""
    return max(1, int(total.prompt_tokens * FLOOR))


def totals_row(total: ShareSums) -> GroupRow:
    """All of a period as a row."""
    return replace(_group_row(Group((), {"label": "All"}), total, total), basis="measured")


def label_row(label: ShareLabel, sums: ShareSums, total: ShareSums) -> GroupRow:
    """All items of one label as a row. Its share is of the money of `total`."""
    fields = {**described(label), "label": label_words(label), "category": category(label)}
    return _group_row(Group((), fields), sums, total)


def item_row(
    record: ItemRecord, total: ShareSums, session_id: str, project: str | None = None
) -> GroupRow:
    """A single item as a row. Its share is of the money of `total`."""
    label = record.label
    sums = ShareSums(
        loads=int(record.entered_at is not None),
        tokens=record.tokens or 0,
        carried=record.requests,
        prompt_tokens=record.prompt_tokens,
        cost_pico=record.cost_pico or 0,
        no_cache_pico=record.no_cache_pico or 0,
        first_pico=record.first_pico or 0,
    )
    fields = {**described(label), "label": item_words(label), "category": category(label)}
    row = _group_row(Group((), {**fields, "project": project}), sums, total)
    return replace(
        row,
        item=record.id,
        session_id=session_id,
        entered_at=record.entered_at,
        basis="measured" if record.is_measured else "estimated",
    )


def _group_row(group: Group, sums: ShareSums, total: ShareSums) -> GroupRow:
    # A request without a price adds tokens and no money.
    priced = bool(sums.no_cache_pico or sums.cost_pico or not sums.prompt_tokens)
    saved = sums.no_cache_pico - sums.cost_pico
    return GroupRow(
        **{"label": "", **group.fields},  # pyright: ignore[reportArgumentType]
        loads=sums.loads,
        tokens=sums.tokens,
        carried=sums.carried,
        prompt_tokens=sums.prompt_tokens,
        cost_usd=usd(sums.cost_pico) if priced else None,
        first_usd=usd(sums.first_pico) if priced else None,
        carry_usd=usd(sums.carry_pico) if priced else None,
        share=sums.cost_pico / total.cost_pico if priced and total.cost_pico else None,
        efficiency=saved / sums.no_cache_pico * 100 if sums.no_cache_pico else None,
        saved_usd=usd(saved) if priced else None,
        is_rest=group.is_rest,
    )


_VALUES: Final[dict[Metric, Callable[[GroupRow], Decimal | float | None]]] = {
    "cost": lambda row: row.cost_usd,
    "tokens": lambda row: row.tokens,
    "efficiency": lambda row: row.efficiency,
    "carried": lambda row: row.prompt_tokens,
}
