"""What a store has of a range of time, of all projects or of some together."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Literal, TypeVar

from token_tracking.efficiency.groups import Share
from token_tracking.metrics.report import fold
from token_tracking.shares import Facts, Metric, ShareLabel, ShareSums
from token_tracking.store import FindingSums, Sums, TokenStore, TopItem

_Value = TypeVar("_Value")

Bounds = tuple[int | None, int | None]
"""From, and up to but not including: milliseconds since 1970 UTC, `None` for open."""

_LIBRARY_TOOLS: Final = ("load_content", "ReadMcpResource", "mcp_resource")
"""How the names of those begin that may have loaded from a library: tools and attachments."""

_ALL: Final = 10**9


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

    async def shares(self, by: Literal["tool", "label"]) -> list[Share]:
        """What the prompts went to; by `tool`, labels have no path or URI."""
        start, end = self._bounds
        found = await self._each(lambda name: self._store.share_sums(by, start, end, name))
        return [share for part in found for share in part]

    async def category_shares(self) -> list[Share]:
        """By tool, and with the URIs of what may have been loaded from a library."""
        tools = await self.shares("tool")
        named = {label.name for _, label, _ in tools if _may_load(label)}
        found = [share for share in tools if share[1].name not in named]
        for name in sorted(each for each in named if each):
            found += await self._labels_named(name)
        return found

    async def top_labels(
        self, metric: Metric, limit: int, *, uri: str | None = None
    ) -> list[tuple[ShareLabel, ShareSums]]:
        """The labels with most of a metric; those of one path or URI where one is named."""
        start, end = self._bounds
        if len(self._projects) == 1:
            return await self._store.top_labels(
                metric, limit, start, end, project=self._projects[0], uri=uri
            )
        # What is the most of all is not always among the most of each.
        shares = await self.shares("label")
        labels: dict[ShareLabel, ShareSums] = {}
        for _, label, sums in shares:
            if uri is None or label.uri == uri:
                labels[label] = labels.get(label, ShareSums()) + sums
        return list(labels.items())

    async def top_items(
        self, metric: Literal["cost", "tokens", "carried"], limit: int
    ) -> list[TopItem]:
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

    async def _labels_named(self, name: str) -> list[Share]:
        start, end = self._bounds

        async def of(project: str | None) -> list[Share]:
            rows = await self._store.top_labels(
                "cost", _ALL, start, end, project=project, name=name
            )
            return [(project, label, sums) for label, sums in rows]

        return [share for part in await self._each(of) for share in part]

    async def _each(self, read: Callable[[str | None], Awaitable[_Value]]) -> list[_Value]:
        return [await read(project) for project in self._projects]


def _may_load(label: ShareLabel) -> bool:
    return (label.name or "").startswith(_LIBRARY_TOOLS)
