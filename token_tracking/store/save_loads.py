"""One save of loads, within one transaction that holds the write lock."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import aiosqlite
from msgspec.structs import asdict

from token_tracking.loads import LibrarySize, Load, is_global
from token_tracking.store.marks import Marks


async def save_loads(
    connection: aiosqlite.Connection,
    queries: Any,
    loads: Sequence[Load],
    library: LibrarySize | None,
    at: int,
) -> None:
    """Save loads, and the library that they came from, as it was at `at` (milliseconds since 1970
    UTC) or when the first of them was loaded. What is known already is joined with what is told
    again, and what is older than the user wished to keep is left out."""
    kept_from: int | None = await queries.kept_from(connection)
    kept = [load for load in loads if kept_from is None or load.at >= kept_from]
    library_id: int | None = None
    if library is not None:
        seen = asdict(library)
        first = min((load.at for load in loads), default=at)
        await queries.upsert_library(connection, **seen, at=first)
        library_id = await queries.library_id(connection, **seen)
    marks = Marks()
    for load in kept:
        await queries.add_session(connection, session_id=load.session_id)
        await queries.add_name(connection, name=load.uri)
        await _save(connection, queries, load, library_id, marks)
    await marks.write(connection, queries)


class _Row(NamedTuple):
    """A load as it is told, without its URI: `known_loads`."""

    session_id: str
    at: int
    kind: str
    category: str
    tokens: int
    overhead_tokens: int
    method: str
    tool_use_id: str | None
    answer: str
    library_id: int | None

    @property
    def is_nameless(self) -> bool:
        """Whether only its session and moment tell it from others."""
        return not self.answer and self.tool_use_id is None


_TOLD: Final = _Row._fields[:-1]


async def _save(
    connection: aiosqlite.Connection,
    queries: Any,
    load: Load,
    library_id: int | None,
    marks: Marks,
) -> None:
    given = asdict(load)
    told = _Row(*(given[name] for name in _TOLD), library_id=library_id)
    same = {
        "is_nameless": int(told.is_nameless),
        "is_global": int(load.tool_use_id is not None and is_global(load.tool_use_id)),
        **{name: given[name] for name in ("uri", "answer", "tool_use_id", "session_id", "at")},
    }
    known = [_Row(*row) async for row in queries.known_loads(connection, **same)]
    if told.is_nameless and not all(row.is_nameless for row in known):
        return  # a call of that moment is it: which one, nothing tells
    joined = _join([told, *known])
    if known == [joined]:
        return
    told_of = [joined, *known]
    marks.names |= {row.session_id for row in told_of}
    marks.calls |= {row.tool_use_id for row in told_of if row.tool_use_id is not None}
    if known:
        await queries.delete_known_loads(connection, **same)
    await queries.insert_load(connection, uri=load.uri, **joined._asdict())


def _join(rows: Sequence[_Row]) -> _Row:
    """Several tellings of one load as one, whatever their order: the earliest, with the ids that
    any of them has."""
    ordered = sorted(rows, key=_order)
    return ordered[0]._replace(
        tool_use_id=min((row.tool_use_id for row in rows if row.tool_use_id), default=None),
        answer=min((row.answer for row in rows if row.answer), default=""),
        library_id=next((row.library_id for row in ordered if row.library_id is not None), None),
    )


def _order(row: _Row) -> tuple[object, ...]:
    """The order of tellings; of two at one moment the larger comes first, and one that knows the
    library."""
    is_unknown = row.library_id is None
    return (row.at, -row.tokens, -row.overhead_tokens, is_unknown, *row[:1], *row[2:4], row.method)
