"""Attribution in the ledger: what is due, and what was attributed."""

from collections.abc import Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

from token_tracking.store.reads import LedgerReads
from token_tracking.store.records import Sums
from token_tracking.store.share_records import Due

if TYPE_CHECKING:
    from token_tracking.shares import SessionShares, ShareLabel
    from token_tracking.store.share_rows import ShareStatements


class StoredShares(LedgerReads):
    """What attribution takes and leaves; `TokenStore` lends the transaction."""

    _share_statements: "ShareStatements | None" = None
    _share_labels: "dict[ShareLabel, int] | None" = None

    def _writing(self) -> AbstractAsyncContextManager[None]:
        raise NotImplementedError

    async def _finish(self, save: Coroutine[Any, Any, None]) -> None:
        raise NotImplementedError

    async def has_due(self, version: int) -> bool:
        """Whether any session changed since it was attributed, or was attributed by an older
        version of the algorithm than `version`."""
        async with self._reading():
            return bool(await self._sql.has_due(self._db, version=version))

    async def count_due(self, version: int) -> int:
        """How many sessions are due."""
        async with self._reading():
            count: int = await self._sql.count_due(self._db, version=version)
        return count

    async def count_due_messages(self) -> int:
        """How many messages the sessions own that changed since they were attributed."""
        async with self._reading():
            count: int = await self._sql.count_due_messages(self._db)
        return count

    async def due_sessions(
        self, version: int, limit: int = 100, *, from_end: bool = False
    ) -> list[Due]:
        """Sessions that are due, in the order of their rows; two processes that settle take them
        from the two ends."""
        query = self._sql.last_due_sessions if from_end else self._sql.due_sessions
        async with self._reading():
            return [Due(*row) async for row in query(self._db, version=version, limit=limit)]

    async def sessions_with_loads(self, session_ids: Sequence[str]) -> set[str]:
        """Those of the sessions that may have loaded content from a library."""
        async with self._reading():
            if await self._sql.may_have_loads(self._db):
                return set(session_ids)
            await self._want_names(session_ids)
            return {row[0] async for row in self._sql.described_sessions(self._db)}

    async def sessions_with_client_totals(self, session_ids: Sequence[str]) -> set[str]:
        """Those of the sessions of which the client told a total of its own."""
        async with self._reading():
            await self._want_names(session_ids)
            return {row[0] async for row in self._sql.reconciled_sessions(self._db)}

    async def session_models(self, session_id: str) -> dict[str, Sums]:
        """The sums of a session's own messages by model ('' where none is named)."""
        async with self._reading():
            key: int | None = await self._sql.session_id_row(self._db, session_id=session_id)
            if key is None:
                return {}
            return {
                row[0]: Sums(*row[1:]) async for row in self._sql.session_models(self._db, id=key)
            }

    async def _want_names(self, names: Sequence[str]) -> None:
        await self._sql.clear_wanted(self._db)
        await self._sql.want(self._db, [{"name": name} for name in names])

    async def attribution_problems(self) -> dict[str, int]:
        """Why sessions could not be attributed, and how many: the ten reasons of the most."""
        async with self._reading():
            return {row[0]: row[1] async for row in self._sql.attribution_problems(self._db)}

    async def mark_all_due(self) -> None:
        """Have every session attributed again.

        Raises:
            StoreError: the database cannot be written; nothing was changed.
        """
        async with self._writing():
            await self._sql.count_change(self._db)
            await self._sql.mark_all(self._db)

    async def save_shares(
        self, shares: Sequence["SessionShares"], since: Mapping[str, int], *, version: int
    ) -> None:
        """Replace what is stored of these sessions, all in one transaction, and keep the sums over
        sessions up. `since` is that of `due_sessions`, by session: one that was changed again
        meanwhile stays due. `version` is that of the algorithm.

        Raises:
            StoreError: the database cannot be written; nothing was saved.
            UnknownSessionError: the ledger has no such session; nothing was saved.
        """
        await self._finish(self._save_shares(shares, since, version))

    async def _save_shares(
        self, shares: Sequence["SessionShares"], since: Mapping[str, int], version: int
    ) -> None:
        # A report of messages saves no shares.
        from token_tracking.store.save_shares import SaveShares  # noqa: PLC0415 (start-up)
        from token_tracking.store.share_rows import ShareStatements  # noqa: PLC0415

        if self._share_statements is None:
            self._share_statements = ShareStatements(self._sql)
        if self._share_labels is None:
            self._share_labels = {}
        async with self._writing():
            await self._sql.create_wanted_tools(self._db)
            await self._sql.create_wanted_labels(self._db)
            save = SaveShares(self._db, self._share_statements, self._share_labels)
            await save.run(shares, since, version)
        self._share_labels |= save.new_labels
