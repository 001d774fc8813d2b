"""The questions about where the money of the prompts went, each answered in Markdown."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from msgspec.structs import replace

from token_tracking.efficiency.groups import check_metric
from token_tracking.efficiency.snapshot import Advice, GroupBy
from token_tracking.metrics import TokenMetrics, parse_period
from token_tracking_server.answers.advice import advice_answer
from token_tracking_server.answers.groups import groups_answer, top_answer
from token_tracking_server.answers.items import SHOWN, items_answer, top_items
from token_tracking_server.answers.savings import savings_answer
from token_tracking_server.answers.snapshot import snapshot_answer
from token_tracking_server.answers.trend import trend_answer

_TOP: Final = 10
_ITEMS: Final = 20
_ROWS: Final = 100
_PAGE_ROWS: Final = 25
"""What a table of the page shows at first. The data are read by no model, yet kept by its host."""
_PAGE_REQUESTS: Final = 2_000
"""More than a page can show: of a longer session it gets the first."""


class EfficiencyQuestions:
    """What attribution tells. `fresh` brings the ledger up to date, and returns what is to be said
    where that failed.

    All raise:
        InvalidPeriodError: there is no such period.
        StoreError: the ledger cannot be read.
    """

    def __init__(self, metrics: TokenMetrics, fresh: Callable[[], Awaitable[str | None]]) -> None:
        self._metrics = metrics
        self._fresh = fresh

    async def snapshot(self, period: str) -> str:
        """A period as a whole."""
        stale = await self._fresh_for(period)
        found = await self._metrics.get_efficiency_snapshot(period, settle=False)
        return snapshot_answer(found, stale=stale)

    async def trend(self, period: str) -> str:
        """A period in steps."""
        stale = await self._fresh_for(period)
        return trend_answer(await self._metrics.get_trend(period, settle=False), stale=stale)

    async def top(self, metric: str, period: str = "all") -> str:
        """What is most by a metric.

        Raises:
            UnknownMetricError: there is no such metric.
        """
        known = check_metric(metric)
        stale = await self._fresh_for(period)
        rows = await self._metrics.get_top_resources(known, _TOP, period, settle=False)
        return top_answer(rows, known, period, stale=stale)

    async def groups(self, by: GroupBy, period: str) -> str:
        """All of a period by tool, server, path and so on."""
        stale = await self._fresh_for(period)
        found = await self._metrics.get_groups(by, period, limit=_ROWS, settle=False)
        return groups_answer(found, stale=stale)

    async def advice(self, period: str = "all") -> str:
        """What to do about it."""
        stale = await self._fresh_for(period)
        return advice_answer(
            await self._metrics.get_advice(period, settle=False), period, stale=stale
        )

    async def savings(self, period: str) -> str:
        """What an assistant needs to find savings: the period, its advice, and its dearest."""
        stale = await self._fresh_for(period)
        metrics = self._metrics
        return savings_answer(
            await metrics.get_efficiency_snapshot(period, settle=False),
            await metrics.get_advice(period, settle=False),
            await metrics.get_top_resources("cost", _TOP, period, settle=False),
            stale=stale,
        )

    async def items(self, session_id: str, chosen: str | None) -> str:
        """A session by item.

        Raises:
            UnknownSessionError: there is none.
        """
        stale = await self._fresh()
        timeline = await self._metrics.get_timeline(session_id, limit=0, items=_ITEMS, settle=False)
        return items_answer(timeline, chosen=chosen, stale=stale)

    async def top_items(self, session_id: str) -> str | None:
        """The few dearest items of a session, without waiting for what is not attributed yet."""
        return top_items(
            await self._metrics.get_timeline(session_id, limit=0, items=SHOWN, settle=False)
        )

    async def state(self, kind: str, value: str) -> object:
        """What a resource (`efficiency://KIND/VALUE`) shows, to tell whether it is another than at
        another time; of those that are of no period and no metric, the figures of all time."""
        metrics = self._metrics
        if kind == "trends":
            return trend_answer(await metrics.get_trend(value, settle=False))
        if kind == "top":
            return await metrics.get_top_resources(check_metric(value), _TOP, "all", settle=False)
        if kind == "advice":
            return await metrics.get_advice("all", settle=False)
        if kind == "snapshot":
            return snapshot_answer(await metrics.get_efficiency_snapshot(value, settle=False))
        found = await metrics.get_efficiency_snapshot("all", include_trend=False, settle=False)
        return replace(found, start=None, end=None)

    async def session_state(self, session_id: str) -> object:
        """The figures of a session, to tell whether they are others than at another time."""
        found = await self._metrics.get_timeline(session_id, limit=0, items=SHOWN, settle=False)
        return replace(found, project=None)

    async def snapshot_page(self, period: str) -> dict[str, Any]:
        """A period as the page has it, as it stands, with what to do about it."""
        return await self._period_page(period, advice=await self._advice(period))

    async def advice_page(self, period: str) -> dict[str, Any]:
        """What to do about a period as the page has it."""
        return await self._period_page(period, view="advice", advice=await self._advice(period))

    async def top_page(self, metric: str, period: str) -> dict[str, Any]:
        """What is most by a metric as the page has it.

        Raises:
            UnknownMetricError: there is no such metric.
        """
        known = check_metric(metric)
        rows = await self._metrics.get_top_resources(known, _TOP, period, settle=False)
        return await self._top_page(period, by=None, metric=known, rows=rows)

    async def groups_page(self, by: GroupBy, period: str) -> dict[str, Any]:
        """The first of a grouping as the page has them."""
        found = await self._metrics.get_groups(by, period, limit=_PAGE_ROWS, settle=False)
        return await self._top_page(period, by=by, metric=found.metric, rows=found.rows)

    async def session_page(self, session_id: str) -> dict[str, Any]:
        """A session as the page has it, as it stands."""
        return self._page(
            await self._metrics.get_timeline(session_id, limit=_PAGE_REQUESTS, settle=False)
        )

    async def _advice(self, period: str) -> list[Advice]:
        return await self._metrics.get_advice(period, settle=False)

    async def _top_page(self, period: str, **rows: Any) -> dict[str, Any]:
        from token_tracking_server.dashboard.app_view import TopRows  # noqa: PLC0415 (start-up)

        return await self._period_page(period, view="top", top=TopRows(**rows))

    async def _period_page(self, period: str, **shown: Any) -> dict[str, Any]:
        from token_tracking_server.dashboard.app_view import PeriodView  # noqa: PLC0415 (start-up)

        told = PeriodView(**shown)
        if told.view == "snapshot":
            return self._page(
                await self._metrics.get_efficiency_snapshot(period, settle=False), told
            )
        report = await self._metrics.get_efficiency_snapshot(
            period, include_trend=False, settle=False
        )
        # The other views show its totals alone; its rows are most of the data.
        bare = replace(report, by_category=[], top_performers=[], needs_optimization=[])
        return self._page(bare, told)

    def _page(self, report: Any, shown: Any = None) -> dict[str, Any]:
        from token_tracking_server.dashboard.app_view import DATA_KEY, report_data  # noqa: PLC0415

        return {DATA_KEY: report_data(report, str(self._metrics.zone), shown)}

    async def _fresh_for(self, period: str) -> str | None:
        # A period that does not exist is told at once.
        parse_period(period, self._metrics.zone)
        return await self._fresh()
