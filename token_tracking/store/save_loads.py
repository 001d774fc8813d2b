"""One save of loads, within one transaction that holds the write lock."""

from collections.abc import Sequence
from typing import Any

import aiosqlite
from msgspec.structs import asdict

from token_tracking.loads import LibrarySize, Load


async def save_loads(
    connection: aiosqlite.Connection,
    queries: Any,
    loads: Sequence[Load],
    library: LibrarySize | None,
    at: int,
) -> None:
    """Save loads, and the library that they came from, as it was at `at` (milliseconds since 1970
    UTC) or when the first of them was loaded. What is known already stays as it is, and what is
    older than the user wished to keep is left out."""
    kept_from: int | None = await queries.kept_from(connection)
    kept = [load for load in loads if kept_from is None or load.at >= kept_from]
    library_id: int | None = None
    if library is not None:
        seen = asdict(library)
        first = min((load.at for load in loads), default=at)
        await queries.upsert_library(connection, **seen, at=first)
        library_id = await queries.library_id(connection, **seen)
    for load in kept:
        row = {**asdict(load), "library_id": library_id}
        await queries.add_session(connection, session_id=load.session_id)
        await queries.add_name(connection, name=load.uri)
        if load.tool_use_id is not None:
            await queries.name_load_call(connection, **row)
        await queries.insert_load(connection, **row)
