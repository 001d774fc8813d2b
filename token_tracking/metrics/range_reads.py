"""What a store has of a range of time, of all projects or of some together."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from token_tracking.efficiency.groups import Share
from token_tracking.metrics.report import fold
from token_tracking.shares import Facts, Metric, ShareLabel, ShareSums
from token_tracking.store import FindingSums, Sums, TokenStore, TopItem
from token_tracking.store.group_reads import ItemMetric, ShareGrouping, UriSort

_Value = TypeVar("_Value")

Bounds = tuple[int | None, int | None]
"""From, and up to but not including: milliseconds since 1970 UTC, `None` for open."""


class RangeReads:
    """Reads of a range, of the projects that are named by their paths; `None` for all."""

    def __init__(
        self, store: TokenStore, bounds: Bounds, projects: Sequence[str] | None = None
    ) -> None:
        self._store = store
        self._bounds = bounds
        self._projects: Sequence[str | None] = [None] if projects is None else projects

    async def models(self) -> dict[str, Sums]:
        """Sums of messages by model ('' where none is named)."""
        return (await self.ranges([self._bounds]))[0]

    async def ranges(self, ranges: Sequence[Bounds]) -> list[dict[str, Sums]]:
        """The same for other ranges."""
        parts = await self._each(lambda project: self._store.range_totals(ranges, project))
        return [
            fold((None, model, sums) for part in parts for model, sums in part[number].items()).get(
                None, {}
            )
            for number in range(len(ranges))
        ]

    async def sessions(self) -> int:
        """How many sessions have messages of their own in it."""
        start, end = self._bounds
        found = await self._each(lambda name: self._store.period_sessions(start, end, name))
        return sum(found)

    async def facts(self) -> Facts:
        """What was remarkable about the requests."""
        start, end = self._bounds
        found = await self._each(lambda name: self._store.facts(start, end, name))
        return sum(found, start=Facts())

    async def shares(self, by: ShareGrouping) -> list[Share]:
        """What the prompts went to, of each project that is named apart; by `tool`, labels have
        the stem of their path or URI (`shares.uri_stem`)."""
        start, end = self._bounds

        async def of(project: str | None) -> list[Share]:
            rows = await self._store.share_sums(by, start, end, project)
            return [(project or None, label, sums) for label, sums in rows]

        return [share for part in await self._each(of) for share in part]

    async def whole(self) -> ShareSums:
        """All that the prompts went to, together."""
        start, end = self._bounds
        found = await self._each(lambda name: self._store.share_total(start, end, name))
        return sum(found, start=ShareSums())

    async def top_labels(
        self, metric: ItemMetric, limit: int, floor: int = 0
    ) -> list[tuple[ShareLabel, ShareSums]]:
        """The labels with most of a metric, and, where there are several projects, others."""
        start, end = self._bounds
        if len(self._projects) == 1:
            (project,) = self._projects
            return await self._store.top_labels(
                metric, limit, start, end, project=project, floor=floor
            )
        # What is the most of all is not always among the most of each.
        labels: dict[ShareLabel, ShareSums] = {}
        for _, label, sums in await self.shares("label"):
            labels[label] = labels.get(label, ShareSums()) + sums
        return list(labels.items())

    async def top_uris(
        self, sort: UriSort, metric: ItemMetric, limit: int, floor: int = 0
    ) -> tuple[list[tuple[str, ShareSums]], int] | None:
        """The paths or skills with most of a metric, and how many there are; `None` where only all
        of them together can tell."""
        start, end = self._bounds
        if len(self._projects) != 1:
            return None
        (project,) = self._projects
        found = await self._store.top_uris(
            metric, limit, start, end, sort=sort, project=project, floor=floor
        )
        if len(found) < limit and not floor:
            return found, len(found)
        return found, await self._store.count_uris(start, end, sort=sort, project=project)

    async def top_projects(
        self, metric: Metric, limit: int, floor: int = 0
    ) -> tuple[list[tuple[str | None, ShareSums]], int]:
        """The projects with most of a metric, and how many there are."""
        start, end = self._bounds
        if self._projects == [None]:
            return await self._store.top_projects(metric, limit, start, end, floor=floor)
        found = [
            (name or None, sums)
            for name in self._projects
            if (sums := await self._store.share_total(start, end, name)) != ShareSums()
        ]
        return found, len(found)

    async def uri_shares(self, uri: str) -> ShareSums:
        """What one path or URI cost."""
        start, end = self._bounds
        found = await self._each(lambda name: self._store.uri_shares(uri, start, end, name))
        return sum(found, start=ShareSums())

    async def top_items(self, metric: ItemMetric, limit: int) -> list[TopItem]:
        """The items that entered in it with most of a metric, in no order."""
        start, end = self._bounds
        found = await self._each(
            lambda name: self._store.top_items(metric, limit, start, end, project=name)
        )
        return [item for part in found for item in part]

    async def findings(self) -> list[FindingSums]:
        """Findings by kind and subject, of each project apart."""
        start, end = self._bounds
        found = await self._each(lambda name: self._store.findings(start, end, name))
        return [row for part in found for row in part]

    async def _each(self, read: Callable[[str | None], Awaitable[_Value]]) -> list[_Value]:
        return [await read(project) for project in self._projects]
