"""Changes of what sessions were attributed, and of the sums over sessions that follow from them."""

from collections import defaultdict
from collections.abc import Sequence
from operator import add, neg, sub
from typing import Any, Final

import aiosqlite

from token_tracking.shares import FACT_FIELDS, SHARE_FIELDS
from token_tracking.store.bulk import Bulk
from token_tracking.store.share_rows import Row
from token_tracking.store.spans import BLOCK_QUARTERS, DAY_QUARTERS
from token_tracking.store.sums import ALL_PROJECTS

FindingKey = tuple[int, str, int]
"""The day, kind and subject of findings."""

_CHANGE: Final = ("project_id", "block", "label_id", *SHARE_FIELDS)
_CHANGES: Final = ("label_changes", "tool_changes", "uri_changes")
_FOLLOWING: Final = ("change_labels_of_all", "change_tools", "change_all_tools", "change_uris")
_ROLLUPS: Final = (
    "label_blocks",
    "label_sums",
    "uri_blocks",
    "uri_sums",
    "tool_blocks",
    "tool_days",
    "tool_sums",
)
_FINDING: Final = ("pico", "tokens", "count", "findings", "measured", "sessions")
_NO_FACTS: Final = (0,) * len(FACT_FIELDS)
_NO_FINDINGS: Final = (0,) * len(_FINDING)


class ShareChanges:
    """What one transaction changes; added to the kept sums before it ends."""

    def __init__(self) -> None:
        self._shares: dict[tuple[int, int, int], Row] = {}
        self._facts: dict[tuple[int, int], Row] = {}
        self._findings: dict[tuple[int, FindingKey], Row] = {}
        self._is_less = False

    def add_share(self, project: int, quarter: int, label: int, sums: Row) -> None:
        """More of a label in a quarter of an hour of a project, all in rows."""
        key = (project, quarter // BLOCK_QUARTERS, label)
        known = self._shares.get(key)
        self._shares[key] = sums if known is None else tuple(map(add, known, sums))

    def take_share(self, project: int, quarter: int, label: int, sums: Row) -> None:
        """Less of it."""
        self._is_less = True
        self.add_share(project, quarter, label, tuple(map(neg, sums)))

    def add_facts(self, project: int, quarter: int, facts: Row, sign: int = 1) -> None:
        """More facts (or less, by the sign -1)."""
        change = add if sign > 0 else sub
        for row in (project, ALL_PROJECTS):
            key = (row, quarter // DAY_QUARTERS)
            self._facts[key] = tuple(map(change, self._facts.get(key, _NO_FACTS), facts))

    def add_findings(self, project: int, key: FindingKey, sums: Row, sign: int = 1) -> None:
        """More findings of a kind and subject on a day (or less, by the sign -1)."""
        change = add if sign > 0 else sub
        for row in (project, ALL_PROJECTS):
            known = self._findings.get((row, key), _NO_FINDINGS)
            self._findings[row, key] = tuple(map(change, known, sums))

    async def write(self, connection: aiosqlite.Connection, queries: Any) -> None:
        """Add all of it to the stored sums."""
        await self._write_shares(connection, queries)
        await self._write_findings(connection, queries)
        rows = [
            {"project_id": project, "day": day, **dict(zip(FACT_FIELDS, facts, strict=True))}
            for (project, day), facts in self._facts.items()
            if any(facts)
        ]
        await queries.add_fact_day(connection, rows)
        await queries.prune_fact_day(connection, rows)

    async def _write_shares(self, connection: aiosqlite.Connection, queries: Any) -> None:
        rows = [(*key, *sums) for key, sums in self._shares.items() if any(sums)]
        if not rows:
            return
        for name in _CHANGES:
            await getattr(queries, f"create_{name}")(connection)
            await getattr(queries, f"clear_{name}")(connection)
        await Bulk(queries.change_label.sql, _CHANGE).run(connection, rows)
        for name in _FOLLOWING:
            await getattr(queries, name)(connection)
        for name in _ROLLUPS:
            await getattr(queries, f"add_{name}")(connection)
        if self._is_less:
            await self._prune(connection, queries)

    async def _prune(self, connection: aiosqlite.Connection, queries: Any) -> None:
        for name in _ROLLUPS:
            await getattr(queries, f"prune_{name}")(connection)
        await queries.bound_label_sums(connection)
        await queries.bound_uri_sums(connection)

    async def _write_findings(self, connection: aiosqlite.Connection, queries: Any) -> None:
        days: list[dict[str, Any]] = [
            {
                "project_id": project,
                "day": day,
                "kind": kind,
                "subject_id": subject,
                **dict(zip(_FINDING, sums, strict=True)),
            }
            for (project, (day, kind, subject)), sums in self._findings.items()
            if any(sums)
        ]
        fewer = [row for row in days if row["findings"] < 0]
        for name in ("finding_day", "finding_sum"):
            await getattr(queries, f"add_{name}")(connection, days)
            await getattr(queries, f"prune_{name}")(connection, fewer)


async def stored_quarters(
    connection: aiosqlite.Connection, queries: Any, sessions: Sequence[int]
) -> tuple[dict[int, dict[tuple[int, int], Row]], dict[int, dict[int, Row]]]:
    """What is stored of sessions: by (quarter, label) and, of facts, by quarter."""
    shares: defaultdict[int, dict[tuple[int, int], Row]] = defaultdict(dict)
    facts: defaultdict[int, dict[int, Row]] = defaultdict(dict)
    if sessions:
        await want_sessions(connection, queries, sessions)
        async for session, quarter, label, *sums in queries.stored_quarters(connection):
            shares[session][quarter, label] = tuple(sums)
        async for session, quarter, *sums in queries.stored_facts(connection):
            facts[session][quarter] = tuple(sums)
    return shares, facts


async def stored_findings(
    connection: aiosqlite.Connection, queries: Any, sessions: Sequence[int]
) -> dict[int, dict[FindingKey, Row]]:
    """The sums of the findings that are stored of sessions."""
    found: defaultdict[int, dict[FindingKey, Row]] = defaultdict(dict)
    if sessions:
        await want_sessions(connection, queries, sessions)
        async for session, day, kind, subject, *sums in queries.stored_findings(connection):
            found[session][day, kind, subject] = tuple(sums)
    return found


async def want_sessions(
    connection: aiosqlite.Connection, queries: Any, sessions: Sequence[int]
) -> None:
    """Name the sessions that the next question is about."""
    await queries.clear_wanted_ids(connection)
    await queries.want_id(connection, [{"id": session} for session in sessions])
