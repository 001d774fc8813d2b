"""What can be asked of a ledger about just-in-time content.

How it is answered is imported by those who ask: most sessions loaded nothing.
"""

from typing import TYPE_CHECKING

from token_tracking.store.reads import LedgerReads

if TYPE_CHECKING:
    from token_tracking.loads import SessionLoad


class LoadReads(LedgerReads):
    """The questions about loads."""

    async def session_loads(self, session_id: str) -> "list[SessionLoad]":
        """What just-in-time content a session loaded, in order of time: what servers recorded and
        what its transcript shows, each once; then what it inherited from the session that it was
        forked from. Empty for an unknown session.
        """
        from token_tracking.store.session_loads import SessionLoads  # noqa: PLC0415 (start-up)

        async with self._reading():
            key: int | None = await self._sql.session_id_row(self._db, session_id=session_id)
            return (
                [] if key is None else await SessionLoads(self._db, self._sql).of(key, session_id)
            )

    async def compacted_at(self, session_id: str) -> int | None:
        """When the main chain of a session was last compacted (milliseconds since 1970 UTC);
        `None` for never, and for a session that is unknown."""
        from token_tracking.store.session_loads import SessionLoads  # noqa: PLC0415 (start-up)

        async with self._reading():
            key: int | None = await self._sql.session_id_row(self._db, session_id=session_id)
            if key is None:
                return None
            found = await SessionLoads(self._db, self._sql).compactions(key)
        return max(
            (each.at for each in found if each.calls is None and not each.chain), default=None
        )

    async def session_of_call(self, tool_use_id: str) -> tuple[str, int] | None:
        """The session whose transcript shows a tool call, and when it began (milliseconds since
        1970 UTC); `None` where none shows it yet, and for an id that is not Anthropic's: gateways
        reuse theirs."""
        async with self._reading():
            row = await self._sql.session_of_call(self._db, key=tool_use_id)
        return None if row is None else (row[0], row[1] or 0)
