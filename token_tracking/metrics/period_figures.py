"""The figures of a period, read from a store and made by the engine."""

from collections.abc import Iterable, Sequence
from datetime import tzinfo
from typing import Final

from msgspec.structs import replace

from token_tracking.efficiency import EfficiencyEngine
from token_tracking.efficiency.advice import advise
from token_tracking.efficiency.candidates import WASTE_SHARE, Waste
from token_tracking.efficiency.groupings import check_grouping, uri_sort
from token_tracking.efficiency.groups import (
    Share,
    check_metric,
    floor_of,
    group_rows,
    item_row,
    label_row,
    ranked,
    total_shares,
    totals_row,
)
from token_tracking.efficiency.reconcile import reconciled
from token_tracking.efficiency.snapshot import (
    Advice,
    Against,
    GroupBy,
    GroupRow,
    Groups,
    Reconciled,
    Snapshot,
    Trend,
)
from token_tracking.metrics.periods import Period
from token_tracking.metrics.range_reads import RangeReads
from token_tracking.metrics.report import total
from token_tracking.metrics.trend import Steps, steps_of
from token_tracking.pricing import usd
from token_tracking.shares import Metric, ShareLabel, ShareSums
from token_tracking.store import FindingSums, TokenStore
from token_tracking.store.group_reads import ItemMetric, UriSort

MOST_ITEMS: Final = 1000
"""Single items where no limit is named: a ledger has millions. No more groups than these are large
enough to be ranked by efficiency, either (`groups.FLOOR`)."""

_REREAD: Final = "reread"
_WASTED: Final = 3
"""At most so many paths that were loaded again are looked at for what they cost in all."""

_STEMS: Final[dict[GroupBy, UriSort]] = {"path": "path", "skill": "skill"}
_ALL: Final = 10**9


class PeriodFigures:
    """A period of a ledger, of some projects or of all (`None`)."""

    def __init__(
        self,
        store: TokenStore,
        engine: EfficiencyEngine,
        period: Period,
        zone: tzinfo,
        projects: Sequence[str] | None,
    ) -> None:
        self._engine = engine
        self._period = period
        self._zone = zone
        self._reads = RangeReads(store, (period.start, period.end), projects)

    async def snapshot(self, *, include_trend: bool) -> Snapshot:
        """The period as a whole."""
        steps = await self._steps() if include_trend else None
        models = await self._reads.models() if steps is None else steps.models
        facts = await self._reads.facts()
        sessions = await self._reads.sessions()
        shares = await self._reads.shares("tool")
        return self._engine.generate_snapshot(
            self._period.name,
            self._period.start,
            self._period.end,
            sums=total(models.values()),
            facts=facts,
            shares=shares,
            sessions=sessions,
            reconciliation=reconciled(facts, max(0, sessions - facts.client_sessions)),
            trend=None if steps is None else self._trend(steps),
            waste=await self._waste(total_shares(shares)),
            error_p95=self._error(models),
        )

    async def savings(self) -> list[Against]:
        """What was saved against each baseline."""
        models = await self._reads.models()
        facts = await self._reads.facts()
        sums = total(models.values())
        return self._engine.calculate_savings(sums, facts, error_p95=self._error(models))

    async def trend(self) -> Trend:
        """The period in steps, and against the one before it."""
        return self._trend(await self._steps())

    async def _steps(self) -> Steps:
        return await steps_of(self._period, self._zone, self._reads)

    def _trend(self, steps: Steps) -> Trend:
        return self._engine.calculate_trend(self._period.name, steps.size, steps.now, steps.before)

    async def advice(self, limit: int) -> list[Advice]:
        """What to do, the most money first."""
        tools = await self._reads.shares("tool")
        spent = sum(sums.cost_pico for _, _, sums in tools)
        called = [(label.server, label.name) for _, label, _ in tools if label.kind == "tool"]
        names = {name for pair in called for name in pair if name}
        findings = await self._reads.findings()
        return advise(findings, called=names, prompt_pico=spent, limit=limit)

    async def reconciliation(self) -> Reconciled:
        """Its sessions against their clients' own totals."""
        facts = await self._reads.facts()
        sessions = await self._reads.sessions()
        return reconciled(facts, max(0, sessions - facts.client_sessions))

    async def top_resources(self, metric: str, limit: int) -> list[GroupRow]:
        """What is most by a metric, by label."""
        known = check_metric(metric)
        whole = await self._reads.whole()
        by, count, floor = _largest(known, limit, whole)
        rows = [
            label_row(label, sums, whole)
            for label, sums in await self._reads.top_labels(by, count, floor)
        ]
        return ranked(rows, known, limit, floor=floor)

    async def groups(self, by: str, metric: str, limit: int | None) -> Groups:
        """The period by `by`, with most of `metric` first, and its totals."""
        grouping, known = check_grouping(by), check_metric(metric)
        if grouping == "item":
            return await self._items(known, limit)
        if grouping == "project":
            return await self._by_project(known, limit)
        shares = await self._reads.shares("tool")
        if grouping in _STEMS:
            return await self._by_uri(grouping, known, limit, shares)
        whole = total_shares(shares)
        return self._ranked(grouping, known, limit, group_rows(grouping, shares), whole)

    async def _by_project(self, metric: Metric, limit: int | None) -> Groups:
        whole = await self._reads.whole()
        most = _ALL if limit is None else limit
        floor = floor_of(whole) if metric == "efficiency" else 0
        found, count = await self._reads.top_projects(metric, most, floor)
        shares = [(project, ShareLabel(""), sums) for project, sums in found]
        rows = group_rows("project", shares, whole)
        return self._ranked("project", metric, limit, rows, whole, count)

    async def _by_uri(
        self, by: GroupBy, metric: Metric, limit: int | None, tools: list[Share]
    ) -> Groups:
        """The largest paths or skills, and what is of none: the rest of what the tools tell."""
        whole = total_shares(tools)
        largest, count, floor = _largest(metric, _ALL if limit is None else limit, whole)
        found = await self._reads.top_uris(_STEMS[by], largest, count, floor)
        if found is None:
            rows = group_rows(by, await self._reads.shares("label"))
            return self._ranked(by, metric, limit, rows, whole)
        of_none = [share for share in tools if uri_sort(share[1].uri) != _STEMS[by]]
        shares: list[Share] = [(None, ShareLabel("", uri=uri), sums) for uri, sums in found[0]]
        shares += [(None, ShareLabel(""), sums) for _, _, sums in of_none]
        rows = group_rows(by, shares, whole)
        return self._ranked(by, metric, limit, rows, whole, found[1] + bool(of_none))

    async def _items(self, metric: Metric, limit: int | None) -> Groups:
        whole = await self._reads.whole()
        most = MOST_ITEMS if limit is None else limit
        by, count = ("carried", MOST_ITEMS) if metric == "efficiency" else (metric, most)
        found = await self._reads.top_items(by, count)
        rows = [item_row(each.item, whole, each.session_id, each.project) for each in found]
        chosen = ranked(rows, metric, most, floor=floor_of(whole))
        groups = self._as_groups("item", metric, chosen, whole, max(0, whole.loads - len(chosen)))
        if self._period.start is None and self._period.end is None:
            return groups
        # Items are shown with their whole life, of which a part may lie outside of the period.
        return replace(groups, totals=None, rows=[replace(row, share=None) for row in chosen])

    def _ranked(
        self,
        by: GroupBy,
        metric: Metric,
        limit: int | None,
        rows: list[GroupRow],
        whole: ShareSums,
        count: int | None = None,
    ) -> Groups:
        """The rows in order, of `count` that there are; of all that there are by default."""
        chosen = ranked(rows, metric, limit, floor=floor_of(whole))
        left_out = (len(rows) if count is None else count) - len(chosen)
        return self._as_groups(by, metric, chosen, whole, left_out)

    def _as_groups(
        self, by: GroupBy, metric: Metric, rows: list[GroupRow], whole: ShareSums, left_out: int
    ) -> Groups:
        return Groups(
            by=by,
            metric=metric,
            period=self._period.name,
            start=self._period.start,
            end=self._period.end,
            rows=rows,
            totals=totals_row(whole),
            left_out=left_out,
        )

    async def _waste(self, whole: ShareSums) -> list[Waste]:
        """What was loaded again, with all that its path or URI cost."""
        least = max(1, whole.cost_pico * WASTE_SHARE)
        again = [
            row
            for row in await self._reads.findings()
            if row.kind == _REREAD and row.count and row.pico >= least
        ]
        again.sort(key=lambda row: (-row.pico, row.subject))
        found = [await self._wasted(row, whole) for row in again[:_WASTED]]
        return [each for each in found if each is not None]

    async def _wasted(self, finding: FindingSums, whole: ShareSums) -> Waste | None:
        uri = finding.subject
        shares: list[Share] = [(None, ShareLabel("", uri=uri), await self._reads.uri_shares(uri))]
        rows = [row for row in group_rows("path", shares, whole) if not row.is_rest]
        if not rows or not rows[0].carried:
            return None
        return Waste(row=rows[0], count=finding.count, waste_usd=usd(finding.pico))

    def _error(self, models: Iterable[str]) -> float | None:
        return self._engine.error_p95(model or None for model in models)


def _largest(metric: Metric, limit: int, whole: ShareSums) -> tuple[ItemMetric, int, int]:
    """What to read for the `limit` groups with most of a metric, how many, and with at least how
    many prompt tokens: all that is large enough to be ranked by efficiency is read."""
    if metric == "efficiency":
        return "carried", MOST_ITEMS, floor_of(whole)
    return metric, limit, 0
