"""The content items of a save: which of them changed, and what is to be derived anew."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any, Final

import aiosqlite
from msgspec.structs import asdict, replace

from token_tracking.merge import join_item
from token_tracking.reading import ClientTotal, join_client_totals
from token_tracking.store.batch import Batch
from token_tracking.store.bulk import Bulk
from token_tracking.store.marks import Marks
from token_tracking.store.rows import QUARTER_MS, Ids, item_row
from token_tracking.usage import ContentItem

Cell = tuple[int, int]
"""A session and a quarter of an hour."""

_ITEM: Final = ContentItem.__struct_fields__[:-1]
_TOTAL: Final = ClientTotal.__struct_fields__[1:]


class SaveItems:
    """Saves the items and client totals of a batch, whose messages are saved.

    `marked` are the messages whose sessions are all marked already.
    """

    def __init__(
        self,
        connection: aiosqlite.Connection,
        queries: Any,
        ids: Ids,
        marks: Marks,
        marked: Collection[str],
    ) -> None:
        self._db = connection
        self._sql = queries
        self._ids = ids
        self._marks = marks
        self._marked = marked
        self._known: dict[str, ContentItem] = {}
        self._counted: dict[str, Cell] = {}

    async def run(self, statement: Bulk, batch: Batch, *, is_first: bool) -> set[Cell]:
        """Save them; the cells whose sums change. `is_first` says that the ledger was empty."""
        items = sorted(batch.items.items())
        # Where two messages name one call, it counts for one of them, and may move. The messages
        # of the batch are counted anew in any case.
        if not is_first:
            await self._find(batch.items)
        self._mark(batch.items.values())
        before = self._counted
        await statement.run(self._db, [item_row(item, self._ids) for _, item in items])
        apart = [key for key, item in items if item.message not in batch.events]
        after = await self._calls({*apart, *before})
        changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
        openings = [
            {"item_key": key, "session_id": self._ids.sessions[session]}
            for key, item in items
            for session in item.sessions
        ]
        await self._sql.insert_opening(self._db, openings)
        return {cell for key in changed for cell in (before.get(key), after.get(key)) if cell}

    async def save_client_totals(self, totals: Iterable[ClientTotal]) -> None:
        """Keep the larger of what the client told; sessions that it told more of are marked."""
        rows: list[dict[str, Any]] = []
        for total in totals:
            row_id = self._ids.sessions[total.session_id]
            seen = await self._client_total(row_id, total)
            if seen is None or join_client_totals(seen, total) != seen:
                self._marks.sessions.add(row_id)
                rows.append({**asdict(total), "session_id": row_id})
        await self._sql.upsert_client_total(self._db, rows)

    async def _client_total(self, row_id: int, total: ClientTotal) -> ClientTotal | None:
        row = await self._sql.known_client_total(self._db, session_id=row_id, model=total.model)
        return (
            None
            if row is None
            else ClientTotal(session_id=total.session_id, **dict(zip(_TOTAL, row, strict=True)))
        )

    async def _find(self, keys: Collection[str]) -> None:
        """The ledger's state of items, with the sessions that they opened."""
        if not keys:
            return
        await self._want(keys)
        openings: defaultdict[str, list[str]] = defaultdict(list)
        async for key, session in self._sql.known_openings(self._db):
            openings[key].append(session)
        async for row in self._sql.known_items(self._db):
            sessions = tuple(sorted(openings.get(row[0], ())))
            item = ContentItem(**dict(zip(_ITEM, row[:11], strict=True)), sessions=sessions)
            self._known[item.key] = item
            for message, number in ((item.message, row[13]), (item.after, row[14])):
                if message is not None:
                    self._ids.messages[message] = number
            if item.kind == "tool" and row[11] is not None:
                self._counted[item.key] = (row[11], row[12] // QUARTER_MS)

    def _mark(self, items: Iterable[ContentItem]) -> None:
        for item in items:
            known = self._known.get(item.key)
            if known is None:
                self._mark_item(item)
            elif join_item(known, self._resolved(item)) != known:
                self._mark_item(known)
                self._mark_item(item)

    def _resolved(self, item: ContentItem) -> ContentItem:
        """The item as a row tells of it: without messages that the ledger does not have."""
        ids = self._ids.messages
        return replace(
            item,
            message=item.message if item.message in ids else None,
            after=item.after if item.after in ids else None,
        )

    def _mark_item(self, item: ContentItem) -> None:
        marks, ids = self._marks, self._ids
        for key in (item.message, item.after):
            if key is not None and key not in self._marked and key in ids.messages:
                marks.messages.add(ids.messages[key])
        for session in item.sessions:
            row = ids.sessions.get(session)
            if row is None:
                marks.names.add(session)
            else:
                marks.sessions.add(row)
        marks.calls.add(item.key)

    async def _calls(self, keys: Collection[str]) -> dict[str, Cell]:
        """Known tool calls among `keys`: the session and quarter of an hour that count them."""
        if not keys:
            return {}
        await self._want(keys)
        return {
            key: (session, at // QUARTER_MS)
            async for key, session, at in self._sql.calls_counted(self._db)
        }

    async def _want(self, names: Iterable[str]) -> None:
        await self._sql.clear_wanted(self._db)
        await self._sql.want(self._db, [{"name": name} for name in sorted(names)])
