"""What can be asked of a ledger."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final, Literal

import aiosqlite

from token_tracking.errors import UnknownSessionError
from token_tracking.location import Location
from token_tracking.reading import FileCursor, FoundFile
from token_tracking.store.connection import store_errors
from token_tracking.store.records import MessageSums, SessionData, Sums, TokenUsage, ToolSum
from token_tracking.store.rows import QUARTER_MS, token_usage
from token_tracking.usage import SYNTHETIC_MODEL

Grouping = Literal["quarter", "session", "project"]
_NO_BOUND: Final = 2**62


class LedgerReads:
    """The questions, over a connection that `TokenStore` opens."""

    def __init__(self, connection: aiosqlite.Connection, location: Location, queries: Any) -> None:
        self._db = connection
        self.location = location
        self._sql = queries
        self._one_at_a_time = asyncio.Lock()

    @asynccontextmanager
    async def _reading(self) -> AsyncGenerator[None]:
        # A connection shows its own transaction before it is committed.
        async with self._one_at_a_time:
            with store_errors(self.location.path):
                yield

    async def file_states(self) -> dict[str, FoundFile]:
        """Each file that was read, as it was then, by its path."""
        async with self._reading():
            return {row[0]: FoundFile(*row) async for row in self._sql.file_states(self._db)}

    async def file_cursor(self, path: str) -> FileCursor | None:
        """How far a file was read."""
        async with self._reading():
            row = await self._sql.file_cursor(self._db, path=path)
        return None if row is None else FileCursor(**dict(zip(_CURSOR, row, strict=True)))

    async def line_counts(self) -> tuple[int, int, int, int]:
        """Of all that was read: files, lines, malformed lines, answers without a valid usage."""
        async with self._reading():
            row = await self._sql.line_counts(self._db)
        return (row[0], row[1], row[2], row[3])

    async def get_message(self, key: str) -> TokenUsage | None:
        """One message by its key (see `usage.message_key`)."""
        async with self._reading():
            row = await self._sql.message_by_key(self._db, key=key)
        return None if row is None else token_usage(row)

    async def has_message(self, key: str) -> bool:
        """Whether a message stands in the ledger."""
        async with self._reading():
            return bool(await self._sql.message_known(self._db, key=key))

    async def get_recent_usage(
        self, limit: int = 100, category: str | None = None
    ) -> list[TokenUsage]:
        """The newest messages first; of one category where one is named."""
        async with self._reading():
            rows = self._sql.recent_messages(self._db, limit=limit, category=category)
            return [token_usage(row) async for row in rows]

    async def get_usage_in_range(self, start: datetime, end: datetime) -> list[TokenUsage]:
        """The messages from `start` up to, not including, `end`, in order of time."""
        async with self._reading():
            rows = self._sql.messages_in_range(
                self._db, start=milliseconds(start), end=milliseconds(end)
            )
            return [token_usage(row) async for row in rows]

    async def get_session_data(self, session_id: str) -> SessionData:
        """A session: its own messages, what it inherited, and the tools that it called.

        Raises:
            UnknownSessionError: the ledger has no such session.
        """
        async with self._reading():
            row = await self._sql.session_row(self._db, session_id=session_id)
            if row is None:
                raise UnknownSessionError(
                    f"No session {session_id!r} in the ledger. List them with:"
                    " token-tracking report --by session."
                )
            key, name, project, first_at, last_at = row
            messages = [
                token_usage(row) async for row in self._sql.session_messages(self._db, id=key)
            ]
            models = {
                row[0]: Sums(*row[1:]) async for row in self._sql.session_models(self._db, id=key)
            }
            inherited = {
                other: count
                async for other, count in self._sql.inherited_messages(self._db, id=key)
            }
            tools = [
                ToolSum(name=tool, server=server, calls=calls, result_bytes=size)
                async for tool, server, calls, size in self._sql.session_tools(self._db, id=key)
            ]
        return SessionData(
            session_id=name,
            project=project,
            first_at=first_at,
            last_at=last_at,
            messages=messages,
            models=models,
            inherited=inherited,
            tools=tools,
        )

    async def session_ids(self, prefix: str = "", limit: int = 100) -> list[str]:
        """Ids of sessions that begin with `prefix`, the newest first."""
        pattern = prefix.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"
        async with self._reading():
            rows = self._sql.sessions_like(self._db, pattern=pattern, limit=limit)
            return [row[0] async for row in rows]

    async def latest_session(self, project: str | None = None) -> str | None:
        """The session with the newest line among those that own messages; of one project where
        one is named."""
        async with self._reading():
            row = await self._sql.latest_session(self._db, project=project)
        return None if row is None else row[0]

    async def conversation_lengths(self, *, before: int, limit: int) -> list[int]:
        """How many requests conversations made: the newest `limit` of sessions whose last line is
        from before `before` (milliseconds since 1970 UTC), the newest sessions first. Each agent's
        is one of its own."""
        async with self._reading():
            rows = self._sql.conversation_lengths(
                self._db, before=before, synthetic=SYNTHETIC_MODEL, limit=limit
            )
            lengths = [row[0].split(",") async for row in rows if row[0]]
        return [int(length) for each in lengths for length in each][:limit]

    async def session_facts(self) -> dict[str, tuple[str, int, int]]:
        """Each session's project, first and last time."""
        async with self._reading():
            return {row[0]: row[1:] async for row in self._sql.session_facts(self._db)}

    async def projects(self) -> dict[str, int]:
        """Each project's row, by its path."""
        async with self._reading():
            return {row[1]: row[0] async for row in self._sql.projects(self._db)}

    async def totals(
        self,
        by: Grouping,
        *,
        start: int | None = None,
        end: int | None = None,
        projects: Iterable[int] | None = None,
    ) -> list[tuple[Any, str, Sums]]:
        """Sums by (quarter of an hour, session or project) and model.

        `start` and `end` are milliseconds since 1970 UTC and fall on quarters of an hour; the
        range is half-open. A model that no message names is ''. `projects` are rows of `projects`.
        """
        query = {
            "quarter": self._sql.quarters if projects is None else self._sql.totals_by_quarter,
            "session": self._sql.totals_by_session,
            "project": self._sql.totals_by_project,
        }[by]
        async with self._reading():
            await self._want_projects(projects)
            rows = query(
                self._db,
                start=-_NO_BOUND if start is None else start // QUARTER_MS,
                end=_NO_BOUND if end is None else end // QUARTER_MS,
                any_project=int(projects is None),
            )
            return [(row[0], row[1], Sums(*row[2:])) async for row in rows]

    async def message_sums(self, *, end: int | None = None) -> list[MessageSums]:
        """Each message before `end` (milliseconds since 1970 UTC), in order of time."""
        async with self._reading():
            rows = self._sql.message_sums(self._db, end=_NO_BOUND if end is None else end)
            return [MessageSums(row[0], row[1], row[2], Sums(*row[3:])) async for row in rows]

    async def _want_projects(self, projects: Iterable[int] | None) -> None:
        await self._sql.clear_wanted_ids(self._db)
        if projects is not None:
            await self._sql.want_id(self._db, [{"id": project} for project in projects])


_CURSOR: Final = (
    "path",
    "inode",
    "modified_ns",
    "size",
    "offset",
    "fingerprint",
    "chains",
    "lines",
    "malformed_lines",
    "unusable_lines",
)


def milliseconds(moment: datetime) -> int:
    """Milliseconds since 1970 UTC. A moment without a zone is in the local one."""
    return int(moment.timestamp() * 1000)
