"""The store of sessions."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final, Self

from aiosqlite import Connection
from msgspec.structs import replace

from token_tracking.errors import StoreError
from token_tracking.usage import Usage
from token_tracking_server.gateway.database import GatewayDatabase
from token_tracking_server.gateway.histories import queries
from token_tracking_server.gateway.histories.calls import answers_calls, calls_tools
from token_tracking_server.gateway.histories.errors import SessionChangedError, SessionFullError
from token_tracking_server.gateway.histories.rows import as_json, as_row, as_session
from token_tracking_server.gateway.histories.values import Session

TTL_SECONDS: Final = 24 * 60 * 60.0
"""How long a session is kept after its last use, unless told otherwise."""

MOST_BYTES: Final = 32 * 1024 * 1024
"""Of a session's history as JSON: the most that Anthropic's API takes in one request."""

_LONG: Final = 500_000
"""Characters of JSON that are read without leaving the event loop: some milliseconds."""

LOOK_SECONDS: Final = 60.0
"""Between two looks for what has expired."""

_Find = Callable[[Connection], Awaitable[Session]]
"""Finds, within a transaction, the session that is to grow."""


class Histories:
    """Sessions and their messages in `gateway.db`. An expired session is as good as deleted, also
    before it is."""

    def __init__(
        self,
        database: GatewayDatabase,
        *,
        ttl_seconds: float = TTL_SECONDS,
        most_bytes: int = MOST_BYTES,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.database: Final = database
        self._ttl_ms = round(ttl_seconds * 1000)
        self._most_bytes = most_bytes
        self._clock = clock
        self._when_gone: list[Callable[[str], object]] = []

    @classmethod
    @asynccontextmanager
    async def opened(
        cls, path: Path, *, ttl_seconds: float = TTL_SECONDS, clock: Callable[[], float] = time.time
    ) -> AsyncGenerator[Self]:
        """The store in a file, and every minute without what has expired.

        Raises:
            StoreError: the file cannot be used.
        """
        database = await GatewayDatabase.open(path)
        try:
            histories = cls(database, ttl_seconds=ttl_seconds, clock=clock)
            await histories.expire()
            async with histories._tidied():
                yield histories
        finally:
            await database.close()

    def when_gone(self, tell: Callable[[str], object]) -> None:
        """Have `tell` called with the id of each session that is deleted or expires here: whoever
        has its text in memory lets go of it."""
        self._when_gone.append(tell)

    async def get(self, session_id: str) -> Session | None:
        """A session; `None` where there is none, or it has expired.

        Raises:
            StoreError: the file cannot be read.
        """
        rows = await self.database.fetch(queries.GET, (session_id, self._now()))
        return as_session(rows[0]) if rows else None

    async def messages(self, session_id: str) -> list[Any]:
        """The messages of a session in order, as they were sent and answered.

        Raises:
            StoreError: the file cannot be read.
        """
        rows = await self.database.fetch(queries.MESSAGES, (session_id,))
        if sum(len(row[0]) for row in rows) > _LONG:
            return await asyncio.to_thread(_decoded, rows)
        return _decoded(rows)

    async def list(self, *, limit: int, offset: int = 0) -> list[Session]:
        """Sessions that have not expired, the last used first.

        Raises:
            StoreError: the file cannot be read.
        """
        rows = await self.database.fetch(queries.LIST, (self._now(), limit, offset))
        return [as_session(row) for row in rows]

    async def count(self) -> int:
        """How many sessions have not expired.

        Raises:
            StoreError: the file cannot be read.
        """
        ((count,),) = await self.database.fetch(queries.COUNT, (self._now(),))
        return count

    async def add(self, session: Session, messages: Sequence[Any]) -> Session:
        """Add messages to a session as it was loaded, or to a new one; how it is then.

        Raises:
            SessionChangedError: it has other messages by now.
            SessionFullError: there is no room for these.
            StoreError: the file cannot be written.
        """
        return await self._add(session, messages, _as_it_was(session))

    async def add_behind(self, session: Session, messages: Sequence[Any]) -> Session:
        """Add a whole turn to a session behind what it has by now; how it is then.

        Raises:
            SessionChangedError: it is gone, or calls of tools would be parted from their results.
            SessionFullError: there is no room for these.
            StoreError: the file cannot be written.
        """
        return await self._add(session, messages, _behind(session, messages))

    async def _add(self, session: Session, messages: Sequence[Any], find: _Find) -> Session:
        texts = [as_json(message) for message in messages]
        async with self.database.transaction() as connection:
            expired = await connection.execute_fetchall(
                queries.DELETE_EXPIRED_ONE, (session.id, self._now())
            )
            changed = self._grown(await find(connection), texts)
            await connection.execute(queries.PUT, as_row(changed))
            first = changed.messages - len(texts)
            await connection.executemany(
                queries.ADD_MESSAGE,
                [(session.id, place, text) for place, text in enumerate(texts, first)],
            )
        await self._let_go(expired)
        return changed

    async def bill(self, session_id: str, usage: Usage | None) -> None:
        """Add to a session what a response was billed for; `None` where it did not tell. Where
        there is no such session (any more), nothing happens.

        Raises:
            StoreError: the file cannot be written.
        """
        prompt, output = (usage.prompt_tokens, usage.output_tokens) if usage else (0, 0)
        async with self.database.transaction() as connection:
            values = (prompt, output, int(usage is None), session_id)
            await connection.execute(queries.BILL, values)

    async def delete(self, session_id: str) -> bool:
        """Delete a session with its text; whether there was one.

        Raises:
            StoreError: the file cannot be written.
        """
        return bool(await self._delete(queries.DELETE, (session_id, self._now())))

    async def expire(self) -> int:
        """Delete what has expired; how many sessions that were.

        Raises:
            StoreError: the file cannot be written.
        """
        return await self._delete(queries.EXPIRE, (self._now(),))

    def check_room(self, session: Session) -> None:
        """See that a session takes more.

        Raises:
            SessionFullError: it does not.
        """
        if session.bytes >= self._most_bytes:
            raise _full(session, self._most_bytes)

    async def _delete(self, statement: str, values: tuple[Any, ...]) -> int:
        async with self.database.transaction() as connection:
            gone = list(await connection.execute_fetchall(statement, values))
        await self._let_go(gone)
        return len(gone)

    async def _let_go(self, gone: Iterable[Any]) -> None:
        """Of text that was deleted, wherever it stands."""
        ids = [row[0] for row in gone]
        if ids:
            await self.database.empty_journal()
        for session_id in ids:
            for tell in self._when_gone:
                tell(session_id)

    def _grown(self, session: Session, texts: Sequence[str]) -> Session:
        now, size = self._now(), sum(map(len, texts))
        if session.bytes + size > self._most_bytes:
            raise _full(session, self._most_bytes)
        return replace(
            session,
            created_at=session.created_at or now,
            used_at=now,
            expires_at=now + self._ttl_ms,
            messages=session.messages + len(texts),
            bytes=session.bytes + size,
        )

    @asynccontextmanager
    async def _tidied(self) -> AsyncGenerator[None]:
        task = asyncio.create_task(self._tidy(), name="expiry of sessions")
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _tidy(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            with suppress(StoreError):  # a full disk may be free again at the next look
                await self.expire()

    def _now(self) -> int:
        return round(self._clock() * 1000)


def _as_it_was(session: Session) -> _Find:
    """The session as it was loaded."""

    async def find(connection: Connection) -> Session:
        rows = await connection.execute_fetchall(queries.POSITION, (session.id,))
        if [row[0] for row in rows] != ([session.messages] if session.created_at else []):
            raise _changed(session)
        return session

    return find


def _behind(session: Session, messages: Sequence[Any]) -> _Find:
    """The session with the messages that it has by now."""
    where = (session.id,)

    async def find(connection: Connection) -> Session:
        rows = [tuple(row) for row in await connection.execute_fetchall(queries.LATEST, where)]
        had = as_session(rows[0]) if rows else None
        if had is None or had.form != session.form:
            raise _changed(session)
        last = await connection.execute_fetchall(queries.LAST_MESSAGE, where)
        if any(calls_tools(json.loads(row[0])) for row in last) or any(
            map(answers_calls, messages[:1])
        ):
            raise _changed(session)
        return replace(
            session,
            system=session.system or had.system,
            tools=session.tools or had.tools,
            created_at=had.created_at,
            messages=had.messages,
            bytes=had.bytes,
        )

    return find


def _changed(session: Session) -> SessionChangedError:
    return SessionChangedError(
        f"Another request went on with the session {session.id} in the meantime. Send this one"
        " again, or use a session of its own."
    )


def _decoded(rows: Sequence[tuple[Any, ...]]) -> list[Any]:
    return [json.loads(row[0]) for row in rows]


def _full(session: Session, most_bytes: int) -> SessionFullError:
    return SessionFullError(
        f"The history of the session {session.id} has reached {most_bytes:,} bytes, the most that"
        f" is kept of one. Begin a new session, or delete this one: DELETE /sessions/{session.id}."
    )
