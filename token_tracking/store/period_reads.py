"""What can be asked of a ledger about periods: the sums of messages, and facts about them.

Ranges are half-open, in milliseconds since 1970 UTC, `None` where they are open, and are aligned
down to quarters of an hour. Days inside a range are read from sums that are kept by day.
"""

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from token_tracking.shares import Facts
from token_tracking.store.reads import LedgerReads
from token_tracking.store.records import Sums
from token_tracking.store.share_records import ProjectSums
from token_tracking.store.spans import Bounds, Span, cover, split
from token_tracking.store.sums import ALL_PROJECTS

NO_PROJECT: Final = -2
"""No row of a project: for one that the ledger does not know."""


class PeriodReads(LedgerReads):
    """The questions about periods. A `project` is its path; '' is that of messages without one."""

    _are_spans_few = False

    async def data_version(self) -> int:
        """A number that grows with each change of the ledger, by this process and others."""
        async with self._reading():
            value: int = await self._sql.revision(self._db)
        return value

    async def period_totals(
        self, start: int | None = None, end: int | None = None, project: str | None = None
    ) -> dict[str, Sums]:
        """The sums of a period's messages by model ('' where none is named)."""
        return (await self.range_totals([(start, end)], project))[0]

    async def trend_totals(
        self, boundaries: Sequence[int], project: str | None = None
    ) -> list[dict[str, Sums]]:
        """The same for each range from a boundary to the next."""
        return await self.range_totals(consecutive(boundaries), project)

    async def range_totals(
        self, ranges: Sequence[Bounds], project: str | None = None
    ) -> list[dict[str, Sums]]:
        """The same for any ranges."""
        found: list[dict[str, Sums]] = [{} for _ in ranges]
        async with self._reading():
            row = await self._project_row(project)
            await self._want_spans(split(ranges))
            rows = (
                self._sql.span_totals(self._db)
                if project is None
                else self._sql.project_span_totals(self._db, project=row)
            )
            async for number, model, *sums in rows:
                if sums[0]:
                    found[number][model] = Sums(*sums)
        return [dict(sorted(each.items())) for each in found]

    async def facts(
        self, start: int | None = None, end: int | None = None, project: str | None = None
    ) -> Facts:
        """What was remarkable about a period's requests."""
        return (await self.range_facts([(start, end)], project))[0]

    async def trend_facts(
        self, boundaries: Sequence[int], project: str | None = None
    ) -> list[Facts]:
        """The same for each range from a boundary to the next."""
        return await self.range_facts(consecutive(boundaries), project)

    async def range_facts(
        self, ranges: Sequence[Bounds], project: str | None = None
    ) -> list[Facts]:
        """The same for any ranges."""
        found = [Facts() for _ in ranges]
        async with self._reading():
            row = await self._project_row(project)
            await self._want_spans(split(ranges))
            async for number, *facts in self._sql.span_facts(self._db, row=row):
                found[number] += Facts(*facts)
        return found

    async def facts_of(self, session_id: str) -> Facts:
        """What was remarkable about a session's requests, as it was attributed last."""
        async with self._reading():
            key: int | None = await self._sql.session_id_row(self._db, session_id=session_id)
            if key is None:
                return Facts()
            row = await self._sql.attributed_facts(self._db, id=key)
        return Facts(*row)

    async def period_sessions(
        self, start: int | None = None, end: int | None = None, project: str | None = None
    ) -> int:
        """How many sessions own messages of a period."""
        async with self._reading():
            if start is None and end is None and project is None:
                count: int = await self._sql.all_sessions(self._db)
                return count
            row = await self._project_row(project)
            await self._want_spans(cover((start, end)))
            found: int = await self._sql.period_sessions(self._db, row=row)
        return found

    async def period_projects(
        self, start: int | None = None, end: int | None = None
    ) -> list[ProjectSums]:
        """Each project with messages in a period, the dearest first."""
        projects: defaultdict[str | None, dict[str, Sums]] = defaultdict(dict)
        async with self._reading():
            await self._want_spans(split([(start, end)]))
            async for name, model, *sums in self._sql.totals_of_projects(self._db):
                if sums[0]:
                    projects[name][model] = Sums(*sums)
        found = [ProjectSums(project=name, models=models) for name, models in projects.items()]
        return sorted(found, key=lambda each: (-each.sums.cost_pico, each.project or ""))

    async def _project_row(self, project: str | None) -> int:
        """The row of a project's path; `ALL_PROJECTS` for `None`."""
        if project is None:
            return ALL_PROJECTS
        if not project:
            return 0
        row: int | None = await self._sql.project_row(self._db, name=project)
        return NO_PROJECT if row is None else row

    async def _want_spans(self, spans: Sequence[Span]) -> None:
        await self._sql.create_wanted_spans(self._db)
        await self._sql.clear_wanted_spans(self._db)
        await self._sql.want_span(self._db, [span._asdict() for span in spans])
        if spans and not self._are_spans_few:
            # Of a table that was never analysed SQLite takes a million rows for granted, and reads
            # all of another to filter these.
            await self._sql.size_wanted_spans(self._db)
            self._are_spans_few = True


def consecutive(boundaries: Sequence[int]) -> list[Bounds]:
    """The ranges from each boundary to the next."""
    return list(pairwise(boundaries))
