"""What is asked about where the money of a period went."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from token_tracking.metrics.periods import PeriodLike, parse_period
from token_tracking.metrics.questions import Questions

if TYPE_CHECKING:
    from token_tracking.efficiency.snapshot import (
        Advice,
        Against,
        GroupRow,
        Groups,
        Reconciled,
        Snapshot,
        Trend,
    )
    from token_tracking.metrics.period_figures import PeriodFigures


class PeriodQuestions(Questions):
    """Periods as attribution has them. `project` is a path, or a part of one.

    All raise:
        InvalidPeriodError: there is no such period.
        StoreError: the ledger cannot be read, or written where it has to be settled.
    """

    async def get_efficiency_snapshot(
        self,
        period: PeriodLike = "all_time",
        include_trend: bool = True,
        *,
        project: str | None = None,
        settle: bool = True,
    ) -> "Snapshot":
        """A period as a whole: what it cost and saved, by category, what caching did, the trend
        against the period before, what did well, what is worth a look, and the reconciliation."""
        figures = await self._figures(period, project, settle)
        return await figures.snapshot(include_trend=include_trend)

    async def get_cost_savings(
        self, period: PeriodLike = "all_time", *, project: str | None = None, settle: bool = True
    ) -> "list[Against]":
        """What a period saved against `no_cache`, `no_jit` and both together."""
        return await (await self._figures(period, project, settle)).savings()

    async def get_by_category(
        self, period: PeriodLike = "all_time", *, project: str | None = None, settle: bool = True
    ) -> "list[GroupRow]":
        """What the prompts' money went to by category: that of a library, the MCP server, the
        tool, or the kind."""
        groups = await self.get_groups("category", period, project=project, settle=settle)
        return groups.rows

    async def get_top_resources(
        self,
        metric: str = "cost",
        limit: int = 10,
        period: PeriodLike = "all_time",
        *,
        project: str | None = None,
        settle: bool = True,
    ) -> "list[GroupRow]":
        """What is most by a metric, each tool with each path or address apart: `cost`, `tokens`
        (that entered), `efficiency` (what caching saved, of what is large enough to matter), or
        `carried` (the prompt tokens of all requests).

        Raises:
            UnknownMetricError: there is no such metric.
        """
        figures = await self._figures(period, project, settle)
        return await figures.top_resources(metric, limit)

    async def get_groups(
        self,
        by: str,
        period: PeriodLike = "all_time",
        *,
        metric: str = "cost",
        limit: int | None = None,
        project: str | None = None,
        settle: bool = True,
    ) -> "Groups":
        """The prompts of a period by `item`, `path`, `tool`, `mcp-server`, `skill`, `agent`,
        `category`, `project` or `kind`, with most of `metric` first, and their totals.

        Raises:
            UnknownMetricError: there is no such grouping or metric.
        """
        figures = await self._figures(period, project, settle)
        return await figures.groups(by, metric, limit)

    async def get_trend(
        self, period: PeriodLike = "last_week", *, project: str | None = None, settle: bool = True
    ) -> "Trend":
        """A period in steps, and against the period of the same length before it."""
        return await (await self._figures(period, project, settle)).trend()

    async def get_advice(
        self,
        period: PeriodLike = "all_time",
        *,
        limit: int = 10,
        project: str | None = None,
        settle: bool = True,
    ) -> "list[Advice]":
        """What to do about a period, the most money at stake first."""
        return await (await self._figures(period, project, settle)).advice(limit)

    async def get_reconciliation(
        self, period: PeriodLike = "all_time", *, project: str | None = None, settle: bool = True
    ) -> "Reconciled":
        """The sessions of a period against their clients' own totals."""
        return await (await self._figures(period, project, settle)).reconciliation()

    async def _figures(
        self, period: PeriodLike, project: str | None, settle: bool
    ) -> "PeriodFigures":
        from token_tracking.metrics.period_figures import PeriodFigures  # noqa: PLC0415 (start-up)

        span = parse_period(period, self.zone)
        await self.settled(settle)
        projects = await self._named_projects(project)
        return PeriodFigures(self.store, await self.engine(), span, self.zone, projects)

    async def _named_projects(self, wanted: str | None) -> Sequence[str] | None:
        """The paths of the project that is named, or else of those whose paths hold the text."""
        if wanted is None:
            return None
        known = await self.store.projects()
        if wanted in known:
            return [wanted]
        return [path for path in known if wanted.lower() in path.lower()]
