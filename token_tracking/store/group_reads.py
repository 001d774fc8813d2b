"""What can be asked of a ledger about groups of what stood in prompts: tools, labels, paths and
skills, projects. Ranges are those of `period_reads`.

The sums of a range are those of days, blocks of six hours and quarters of an hour. In a long range
there are too many labels and paths to add up: they are looked at in the order of what they have
over all time, until none that follows can have more in the range than what was found.
"""

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

from token_tracking.shares import Metric, ShareLabel, ShareSums, quarter_of
from token_tracking.store.period_reads import PeriodReads
from token_tracking.store.spans import (
    BLOCK_QUARTERS,
    BLOCKS,
    BLOCKS_AND_DAYS,
    cover,
    split,
)

ShareGrouping = Literal["tool", "label"]
ItemMetric = Literal["cost", "tokens", "carried"]
UriSort = Literal["path", "skill"]

_Kind = Literal["label", "uri"]
_SORTS: Final[dict[UriSort, int]] = {"path": 1, "skill": 2}
_VALUES: Final[dict[ItemMetric, int]] = {"cost": 5, "tokens": 2, "carried": 4}
"""Where the metric stands in a row of an id and its sums."""

_FEW: Final = 5_000
"""So many sums of a range are added up at once."""

_PAGE: Final = 64
_NO_BOUND: Final = 2**62
_NO_SUMS: Final = ShareSums()

_Row = tuple[int, ...]


class _Question(NamedTuple):
    """The labels or URIs with most of a metric in a range, at most `limit`."""

    kind: _Kind
    metric: ItemMetric
    limit: int
    where: dict[str, int]

    @property
    def value(self) -> int:
        return _VALUES[self.metric]


class GroupReads(PeriodReads):
    """The questions about groups. They answer as of the last `settle`. Of all projects together,
    where none is named."""

    few_sums = _FEW
    """Up to so many sums of a range are added up; of more, the largest are looked for."""

    _are_ids_few = False

    async def share_sums(
        self,
        by: ShareGrouping,
        start: int | None = None,
        end: int | None = None,
        project: str | None = None,
    ) -> list[tuple[ShareLabel, ShareSums]]:
        """What was attributed in a period by tool or by label. Labels of a tool have the stem of
        their URI alone (`shares.uri_stem`)."""
        is_whole = start is None and end is None
        query = getattr(self._sql, f"all_{by}_shares" if is_whole else f"{by}_shares")
        async with self._reading():
            row = await self._project_row(project)
            if not is_whole:
                ladder = BLOCKS if by == "label" else BLOCKS_AND_DAYS
                await self._want_spans(split([(start, end)], ladder))
            found = [
                (ShareLabel(*each[:5]), ShareSums(*each[5:]))
                async for each in query(self._db, row=row)
            ]
        return [each for each in found if each[1] != _NO_SUMS]

    async def share_total(
        self, start: int | None = None, end: int | None = None, project: str | None = None
    ) -> ShareSums:
        """What was attributed in a period, all of it together."""
        async with self._reading():
            row = await self._project_row(project)
            if start is None and end is None:
                found = await self._sql.all_total_shares(self._db, row=row)
            else:
                await self._want_spans(split([(start, end)], BLOCKS_AND_DAYS))
                found = await self._sql.total_shares(self._db, row=row)
        return _NO_SUMS if found is None or found[0] is None else ShareSums(*found)

    async def top_labels(
        self,
        metric: ItemMetric,
        limit: int,
        start: int | None = None,
        end: int | None = None,
        *,
        project: str | None = None,
        floor: int = 0,
    ) -> list[tuple[ShareLabel, ShareSums]]:
        """The labels with the most cost, tokens that entered, or prompt tokens over all requests
        that carried them (`carried`); of those with at least `floor` of these, for `carried`."""
        async with self._reading():
            where = {"row": await self._project_row(project), "floor": floor}
            question = _Question("label", metric, limit, where)
            rows = await self._top(question, start, end)
            await self._want_ids([row[0] for row in rows])
            labels = {
                row[0]: ShareLabel(*row[1:]) async for row in self._sql.described_labels(self._db)
            }
        return [(labels[row[0]], ShareSums(*row[1:])) for row in rows]

    async def top_uris(
        self,
        metric: ItemMetric,
        limit: int,
        start: int | None = None,
        end: int | None = None,
        *,
        sort: UriSort = "path",
        project: str | None = None,
        floor: int = 0,
    ) -> list[tuple[str, ShareSums]]:
        """The same of paths and URIs, or of skills, whatever tool they were of."""
        async with self._reading():
            where = {"row": await self._project_row(project), "floor": floor, "sort": _SORTS[sort]}
            rows = await self._top(_Question("uri", metric, limit, where), start, end)
            await self._want_ids([row[0] for row in rows])
            names = {row[0]: row[1] async for row in self._sql.described_uris(self._db)}
        return [(names[row[0]], ShareSums(*row[1:])) for row in rows]

    async def uri_shares(
        self,
        uri: str,
        start: int | None = None,
        end: int | None = None,
        project: str | None = None,
    ) -> ShareSums:
        """What one path or URI was attributed in a period."""
        async with self._reading():
            row = await self._project_row(project)
            key: int | None = await self._sql.project_row(self._db, name=uri)
            if key is None:
                return _NO_SUMS
            question = _Question("uri", "cost", 1, {"row": row, "floor": 0})
            await self._want_range("uri", start, end, row)
            found = await self._wanted(question, [key])
        return ShareSums(*found[0][1:]) if found else _NO_SUMS

    async def count_uris(
        self,
        start: int | None = None,
        end: int | None = None,
        *,
        sort: UriSort = "path",
        project: str | None = None,
    ) -> int:
        """How many paths and URIs, or skills, were carried in a period."""
        async with self._reading():
            where = {"row": await self._project_row(project), "sort": _SORTS[sort]}
            if start is None and end is None:
                count: int = await self._sql.count_all_uris(self._db, **where)
                return count
            last: int | None = await self._sql.last_uri_block(self._db, **where)
            if last is None:
                return 0
            if start is not None and (end is None or quarter_of(end) >= _after(last)):
                return await self._count_late(quarter_of(start), where)
            return await self._count_within(start, end, where)

    async def _count_late(self, start: int, where: dict[str, int]) -> int:
        """Those in the quarters from `start` on."""
        block = -(-start // BLOCK_QUARTERS)
        late: int = await self._sql.count_late_uris(self._db, low=block, **where)
        first, end = start // BLOCK_QUARTERS, block * BLOCK_QUARTERS
        if start == end:
            return late
        edge: int = await self._sql.count_last_uris(
            self._db, start=start, end=end, block=first, **where
        )
        return late + edge

    async def _count_within(self, start: int | None, end: int | None, where: dict[str, int]) -> int:
        inside = cover((start, end), BLOCK_QUARTERS)
        blocks = next((span for span in inside if span.unit != "quarter"), None)
        await self._want_spans(inside)
        low, high = (0, 0) if blocks is None else (blocks.low, blocks.high)
        count: int = await self._sql.count_uris(self._db, low=low, high=high, **where)
        return count

    async def top_projects(
        self,
        metric: Metric,
        limit: int,
        start: int | None = None,
        end: int | None = None,
        *,
        floor: int = 0,
    ) -> tuple[list[tuple[str | None, ShareSums]], int]:
        """The projects with most of a metric in a period, and how many there are. By efficiency,
        those with at least `floor` prompt tokens."""
        is_whole = start is None and end is None
        query = self._sql.all_project_shares if is_whole else self._sql.project_shares
        async with self._reading():
            if not is_whole:
                await self._want_spans(split([(start, end)], BLOCKS_AND_DAYS))
            rows = [row async for row in query(self._db, metric=metric, limit=limit, floor=floor)]
        count = rows[0][1] if rows else 0
        return [(row[0], ShareSums(*row[2:])) for row in rows], count

    async def _top(self, question: _Question, start: int | None, end: int | None) -> list[_Row]:
        kind, metric, limit, where = question
        if start is None and end is None:
            query = getattr(self._sql, f"all_top_{kind}s_by_{metric}")
            return [row async for row in query(self._db, limit=limit, **where)]
        low, high = await self._want_range(kind, start, end, where["row"])
        count = getattr(self._sql, f"count_{kind}_blocks")
        many: int = await count(self._db, row=where["row"], low=low, high=high, limit=self.few_sums)
        if many < self.few_sums:
            query = getattr(self._sql, f"top_{kind}s")
            return [row async for row in query(self._db, metric=metric, limit=limit, **where)]
        return await self._largest(question, low, high)

    async def _largest(self, question: _Question, low: int, high: int) -> list[_Row]:
        """Page by page, in the order of what they have over all time."""
        kind, metric, limit, where = question
        query = getattr(self._sql, f"{kind}s_by_{metric}")
        best: list[_Row] = []
        offset, size = 0, max(_PAGE, 2 * limit)
        while True:
            page = [
                each
                async for each in query(
                    self._db, low=low, high=high, limit=size, offset=offset, **where
                )
            ]
            best += await self._wanted(question, [each[0] for each in page])
            best.sort(key=lambda row: -row[question.value])
            best = best[:limit]
            least = best[-1][question.value] if len(best) == limit else None
            if len(page) < size or (least is not None and least >= page[-1][1]):
                return best
            offset, size = offset + size, size * 2

    async def _wanted(self, question: _Question, ids: Sequence[int]) -> list[_Row]:
        """What these have in the range that is wanted."""
        await self._want_ids(ids)
        query = getattr(self._sql, f"top_wanted_{question.kind}s")
        where = {"row": question.where["row"], "floor": question.where["floor"]}
        rows = query(self._db, metric=question.metric, limit=question.limit, **where)
        return [row async for row in rows]

    async def _want_range(
        self, kind: _Kind, start: int | None, end: int | None, row: int
    ) -> tuple[int, int]:
        """Have the sums of a range at hand; the blocks that it touches."""
        await self._want_spans(split([(start, end)], BLOCKS))
        await getattr(self._sql, f"create_{kind}_edges")(self._db)
        await getattr(self._sql, f"clear_{kind}_edges")(self._db)
        await getattr(self._sql, f"find_{kind}_edges")(self._db, row=row)
        low = -_NO_BOUND if start is None else quarter_of(start) // BLOCK_QUARTERS
        high = _NO_BOUND if end is None else -(-quarter_of(end) // BLOCK_QUARTERS)
        return low, high

    async def _want_ids(self, ids: Sequence[int]) -> None:
        await self._sql.clear_wanted_ids(self._db)
        await self._sql.want_id(self._db, [{"id": each} for each in ids])
        if ids and not self._are_ids_few:
            await self._sql.size_wanted_ids(self._db)
            self._are_ids_few = True


def _after(block: int) -> int:
    """The first quarter of an hour after a block."""
    return (block + 1) * BLOCK_QUARTERS
