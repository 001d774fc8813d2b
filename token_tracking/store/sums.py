"""Sums of messages, kept in the transaction that changes them: by session and quarter of an hour,
by quarter, and by project and day."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

import aiosqlite

from token_tracking.store.records import SUM_FIELDS, Saved, Sums
from token_tracking.store.rows import QUARTER_MS
from token_tracking.store.spans import DAY_QUARTERS

ALL_PROJECTS: Final = -1
"""The row of all projects together; that of messages without a project is 0."""

_Days = dict[tuple[int, int, str], Sums]
"""Sums by the row of a project, day and model."""

_ZERO: Final = Sums()


async def sum_anew(
    connection: aiosqlite.Connection, queries: Any, dirty: Iterable[tuple[int, int]]
) -> Saved:
    """Derive the sums of these (session, quarter of an hour) from their messages; what changed."""
    cells = sorted(dirty)
    pairs = [
        {
            "session_id": session,
            "quarter": quarter,
            "start": quarter * QUARTER_MS,
            "end": (quarter + 1) * QUARTER_MS,
        }
        for session, quarter in cells
    ]
    quarters = [{"quarter": quarter} for quarter in sorted({quarter for _, quarter in cells})]
    await queries.clear_wanted_totals(connection)
    await queries.want_totals(
        connection, [{"session_id": session, "quarter": quarter} for session, quarter in cells]
    )
    before, sessions = await _cells(connection, queries)
    await queries.clear_totals(connection, pairs)
    await queries.sum_totals(connection, pairs)
    await queries.clear_quarter(connection, quarters)
    await queries.sum_quarter(connection, quarters)
    after, sessions_after = await _cells(connection, queries)
    await _add_days(connection, queries, _changes(before, after))
    days = sorted({(quarter // DAY_QUARTERS, session) for session, quarter in cells})
    rows = [{"day": day, "session_id": session} for day, session in days]
    await queries.clear_session_day(connection, rows)
    await queries.find_session_day(connection, rows)
    return Saved.between(_by_model(before), _by_model(after), sessions_after - sessions)


async def move_days(
    connection: aiosqlite.Connection, queries: Any, moves: Mapping[int, tuple[int, int]]
) -> None:
    """The sums of sessions go from one project's row to another's."""
    changes: defaultdict[tuple[int, int, str], Sums] = defaultdict(Sums)
    for session, (before, after) in moves.items():
        async for day, model, *sums in queries.session_totals(connection, id=session):
            changes[before, day, model] -= Sums(*sums)
            changes[after, day, model] += Sums(*sums)
    await _add_days(connection, queries, changes)


async def _cells(connection: aiosqlite.Connection, queries: Any) -> tuple[_Days, int]:
    """What the wanted cells sum up to, and how many of their sessions own messages."""
    days = {tuple(row[:3]): Sums(*row[3:]) async for row in queries.cell_totals(connection)}
    return days, await queries.dirty_sessions(connection)


def _changes(before: _Days, after: _Days) -> _Days:
    """What is more after than before, for each project and all of them together."""
    changes: defaultdict[tuple[int, int, str], Sums] = defaultdict(Sums)
    for project, day, model in before.keys() | after.keys():
        key = (project, day, model)
        change = after.get(key, _ZERO) - before.get(key, _ZERO)
        changes[key] = change
        changes[ALL_PROJECTS, day, model] += change
    return changes


async def _add_days(connection: aiosqlite.Connection, queries: Any, changes: _Days) -> None:
    rows: list[dict[str, Any]] = [
        {
            "project_id": project,
            "day": day,
            "model": model,
            **{name: getattr(sums, name) for name in SUM_FIELDS},
        }
        for (project, day, model), sums in changes.items()
        if sums != _ZERO
    ]
    await queries.add_total_day(connection, rows)
    await queries.prune_total_day(connection, [row for row in rows if row["messages"] < 0])


def _by_model(days: _Days) -> dict[str, Sums]:
    models: defaultdict[str, Sums] = defaultdict(Sums)
    for (_, _, model), sums in days.items():
        models[model] += sums
    return dict(models)
