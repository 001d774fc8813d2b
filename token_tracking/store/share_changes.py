"""Changes of what sessions were attributed, summed up by project, day, label and tool."""

from collections import defaultdict
from collections.abc import Sequence
from operator import add, neg
from typing import Any, Final

import aiosqlite

from token_tracking.shares import FACT_FIELDS, SHARE_FIELDS
from token_tracking.store.bulk import Bulk
from token_tracking.store.share_rows import Row
from token_tracking.store.spans import DAY_QUARTERS
from token_tracking.store.sums import ALL_PROJECTS

_CHANGE: Final = ("project_id", "day", "label_id", *SHARE_FIELDS)
_ROLLUPS: Final = ("label_days", "tool_days", "label_sums", "label_sums_of_all", "tool_sums")


class ShareChanges:
    """What one transaction changes, by day; added to the kept sums before it ends."""

    def __init__(self) -> None:
        self._shares: dict[tuple[int, int, int], list[int]] = {}
        self._facts: dict[tuple[int, int], list[int]] = {}
        self._is_less = False

    def add_share(self, project: int, quarter: int, label: int, sums: Row) -> None:
        """More of a label in a quarter of an hour of a project, all in rows."""
        key = (project, quarter // DAY_QUARTERS, label)
        known = self._shares.get(key)
        if known is None:
            self._shares[key] = list(sums)
        else:
            self._shares[key] = list(map(add, known, sums))

    def take_share(self, project: int, quarter: int, label: int, sums: Row) -> None:
        """Less of it."""
        self._is_less = True
        self.add_share(project, quarter, label, tuple(map(neg, sums)))

    def add_facts(self, project: int, quarter: int, facts: Row, sign: int = 1) -> None:
        """More facts (or less, by the sign -1)."""
        for row in (project, ALL_PROJECTS):
            key = (row, quarter // DAY_QUARTERS)
            known = self._facts.get(key, _NO_FACTS)
            self._facts[key] = [a + sign * b for a, b in zip(known, facts, strict=True)]

    async def write(self, connection: aiosqlite.Connection, queries: Any) -> None:
        """Add all of it to the stored sums."""
        await self._write_shares(connection, queries)
        rows = [
            {"project_id": project, "day": day, **dict(zip(FACT_FIELDS, facts, strict=True))}
            for (project, day), facts in self._facts.items()
            if any(facts)
        ]
        await queries.add_fact_day(connection, rows)
        await queries.prune_fact_day(connection, rows)

    async def _write_shares(self, connection: aiosqlite.Connection, queries: Any) -> None:
        if not self._shares:
            return
        await queries.create_share_changes(connection)
        await queries.clear_share_changes(connection)
        rows = [(*key, *sums) for key, sums in self._shares.items()]
        await Bulk(queries.change_share.sql, _CHANGE).run(connection, rows)
        for name in _ROLLUPS:
            await getattr(queries, f"add_{name}")(connection)
        if self._is_less:
            for name in _ROLLUPS:
                await getattr(queries, f"prune_{name}")(connection)


_NO_FACTS: Final = [0] * len(FACT_FIELDS)


async def stored_quarters(
    connection: aiosqlite.Connection, queries: Any, sessions: Sequence[int]
) -> tuple[dict[int, dict[tuple[int, int], Row]], dict[int, dict[int, Row]]]:
    """What is stored of sessions: by (quarter, label) and, of facts, by quarter."""
    shares: defaultdict[int, dict[tuple[int, int], Row]] = defaultdict(dict)
    facts: defaultdict[int, dict[int, Row]] = defaultdict(dict)
    if sessions:
        await queries.clear_wanted_ids(connection)
        await queries.want_id(connection, [{"id": session} for session in sessions])
        async for session, quarter, label, *sums in queries.stored_quarters(connection):
            shares[session][quarter, label] = tuple(sums)
        async for session, quarter, *sums in queries.stored_facts(connection):
            facts[session][quarter] = tuple(sums)
    return shares, facts
