"""The single items of a group: what a row of a grouping leads to."""

from collections.abc import Mapping
from typing import Final

from token_tracking.efficiency.groupings import key_of
from token_tracking.efficiency.groups import item_row, ranked
from token_tracking.efficiency.snapshot import GroupBy, GroupRow, Groups
from token_tracking.metrics import TokenMetrics
from token_tracking.shares import ShareLabel, ShareSums
from token_tracking.store import TokenStore
from token_tracking_server.dashboard.figures import GROUP_FIELDS, GroupItems

LOOKED_AT: Final = 1_000
"""Items of a period among which those of a group are found, where the store cannot tell them."""


async def group_items(
    metrics: TokenMetrics,
    store: TokenStore,
    by: GroupBy,
    of: Mapping[str, str],
    period: str,
    project: str | None,
    limit: int,
) -> GroupItems:
    """The dearest items of a group, which `of` has the fields of. Those of one path or skill are
    the dearest of all; others are found among the dearest of the period.

    Raises:
        InvalidPeriodError: there is no such period.
        StoreError: the ledger cannot be read.
    """
    groups = await metrics.get_groups(by, period, limit=LOOKED_AT, project=project, settle=False)
    group = next((each for each in groups.rows if is_of(of, each) and not each.is_rest), None)
    if uri := of.get("uri"):
        rows = await _of_uri(store, groups, uri, project, limit)
        return GroupItems(group=group, rows=rows, looked_at=None, error_p95=groups.error_p95)
    items = await metrics.get_groups("item", period, limit=LOOKED_AT, project=project, settle=False)
    rows = [each for each in items.rows if is_of(of, grouped(by, each))]
    looked_at = LOOKED_AT if items.left_out or len(rows) > limit else None
    return GroupItems(
        group=group, rows=rows[:limit], looked_at=looked_at, error_p95=items.error_p95
    )


def is_of(of: Mapping[str, str], row: GroupRow | Mapping[str, str | None]) -> bool:
    """Whether a row has these fields, and no others."""
    fields = row if isinstance(row, Mapping) else {n: getattr(row, n) for n in GROUP_FIELDS}
    return all((fields.get(name) or "") == of.get(name, "") for name in GROUP_FIELDS)


def grouped(by: GroupBy, item: GroupRow) -> Mapping[str, str | None]:
    """The fields of the group that an item is in."""
    label = ShareLabel(item.kind or "", item.name, item.server, item.uri, item.agent or "")
    return key_of(by)(item.project, label).fields


async def _of_uri(
    store: TokenStore, groups: Groups, uri: str, project: str | None, limit: int
) -> list[GroupRow]:
    found = await store.top_items("cost", limit, groups.start, groups.end, project=project, uri=uri)
    rows = [item_row(each.item, _whole(groups), each.session_id, each.project) for each in found]
    return ranked(rows, "cost")


def _whole(groups: Groups) -> ShareSums:
    """What items are shares of: nothing in a part of time, as they cost more after it."""
    if groups.totals is None or groups.start is not None or groups.end is not None:
        return ShareSums()
    return ShareSums(cost_pico=int((groups.totals.cost_usd or 0) * 10**12))
