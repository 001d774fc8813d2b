"""What can be asked of a ledger about who paid for the prompts. Ranges are those of
`period_reads`."""

from typing import Any, Final

from msgspec.json import decode

from token_tracking.reading import ClientTotal
from token_tracking.shares import ItemRecord, ShareLabel
from token_tracking.store.finding_reads import FindingReads
from token_tracking.store.group_reads import GroupReads, ItemMetric
from token_tracking.store.records import Sums
from token_tracking.store.share_records import SessionRow, StoredAttribution, TopItem

_NO_BOUND: Final = 2**62
_FEW_SESSIONS: Final = 2_000
"""So many sessions are sorted at once; of more, those with the largest items are read first."""


class ShareReads(FindingReads, GroupReads):
    """The questions about attribution. They answer as of the last `settle`."""

    async def top_items(
        self,
        metric: ItemMetric,
        limit: int,
        start: int | None = None,
        end: int | None = None,
        *,
        project: str | None = None,
        session: str | None = None,
        uri: str | None = None,
    ) -> list[TopItem]:
        """The single items with the most cost, tokens or prompt tokens over all requests that
        carried them (`carried`), among those that entered in a period; each with all that it cost
        to its end."""
        async with self._reading():
            where: dict[str, Any] = {
                "start": -_NO_BOUND if start is None else start,
                "end": _NO_BOUND if end is None else end,
            }
            row = await self._project_row(project)
            if session is not None:
                found = await self._items_of_session(metric, limit, session, row, where)
            elif uri is not None:
                query = getattr(self._sql, f"uri_items_by_{metric}")
                rows = query(self._db, limit=limit, uri=uri, row=row, **where)
                found = [each async for each in rows]
            else:
                found = await self._largest_items(metric, limit, row, where)
            return await self._top_items(found)

    async def _items_of_session(
        self, metric: ItemMetric, limit: int, session: str, row: int, where: dict[str, Any]
    ) -> list[tuple[int, int, int]]:
        key: int | None = await self._sql.session_id_row(self._db, session_id=session)
        if key is None:
            return []
        return await self._items_of(metric, limit, [key], where)

    async def _items_of(
        self, metric: ItemMetric, limit: int, sessions: list[int], where: dict[str, Any]
    ) -> list[tuple[int, int, int]]:
        await self._sql.clear_wanted_ids(self._db)
        await self._sql.want_id(self._db, [{"id": each} for each in sessions])
        query = getattr(self._sql, f"items_by_{metric}")
        return [row async for row in query(self._db, limit=limit, **where)]

    async def _largest_items(
        self, metric: ItemMetric, limit: int, row: int, where: dict[str, Any]
    ) -> list[tuple[int, int, int]]:
        """No item is larger than the largest of its session: sessions are read in the order of
        that, until none that follows can have a larger one than what was found."""
        few: int = await self._sql.count_late_sessions(
            self._db, start=where["start"], limit=_FEW_SESSIONS
        )
        order = f"late_sessions_by_{metric}" if few < _FEW_SESSIONS else f"sessions_by_{metric}"
        best: list[tuple[int, int, int]] = []
        offset = 0
        while True:
            page = [
                each
                async for each in getattr(self._sql, order)(
                    self._db, row=row, limit=limit, offset=offset, **where
                )
            ]
            best += await self._items_of(metric, limit, [each[0] for each in page], where)
            best = sorted(best, key=_largest_first)[:limit]
            if len(page) < limit or (len(best) == limit and best[-1][2] >= page[-1][1]):
                return best
            offset += limit

    async def _top_items(self, places: list[tuple[int, int, int]]) -> list[TopItem]:
        """The items at (session, number), in that order."""
        await self._sql.clear_wanted_totals(self._db)
        await self._sql.want_totals(
            self._db,
            [{"session_id": session, "quarter": number} for session, number, _ in places],
        )
        return [
            TopItem(session_id=row[0], project=row[1], item=_item(row[2:]))
            async for row in self._sql.items_by_place(self._db)
        ]

    async def item_records(self, session_id: str) -> list[ItemRecord]:
        """The items of a session as they entered; empty for an unknown one."""
        async with self._reading():
            key: int | None = await self._sql.session_id_row(self._db, session_id=session_id)
            if key is None:
                return []
            return [_item(row) async for row in self._sql.item_records(self._db, id=key)]

    async def session_attribution(self, session_id: str) -> StoredAttribution | None:
        """What a session was attributed; `None` for one that was not yet, and for an unknown
        one."""
        async with self._reading():
            key: int | None = await self._sql.session_id_row(self._db, session_id=session_id)
            row = None if key is None else await self._sql.attribution_of(self._db, id=key)
        if row is None:
            return None
        return StoredAttribution(
            prompt_tokens=row[0],
            prompt_pico=row[1],
            details=decode(row[2], type=dict[str, int]),
            problem=row[3],
        )

    async def sessions_page(
        self, project: str | None = None, limit: int = 50, offset: int = 0
    ) -> list[SessionRow]:
        """Sessions that own messages, the newest first."""
        async with self._reading():
            place: dict[str, Any] = {"limit": limit, "offset": offset}
            if project is None:
                rows = self._sql.sessions_page(self._db, **place)
            else:
                row = await self._project_row(project)
                rows = self._sql.project_sessions_page(self._db, row=row, **place)
            found = [row async for row in rows]
            await self._sql.clear_wanted_ids(self._db)
            await self._sql.want_id(self._db, [{"id": row[0]} for row in found])
            sums = {row[0]: Sums(*row[1:]) async for row in self._sql.sums_of_sessions(self._db)}
        return [
            SessionRow(session_id=name, project=path, first_at=first, last_at=last, sums=sums[key])
            for key, name, path, first, last in found
        ]

    async def client_totals(self, session_id: str) -> list[ClientTotal]:
        """The client's own totals of a session, by model; empty where it told none."""
        async with self._reading():
            key: int | None = await self._sql.session_id_row(self._db, session_id=session_id)
            if key is None:
                return []
            rows = self._sql.client_totals_of(self._db, id=key)
            return [
                ClientTotal(session_id=session_id, **dict(zip(_TOTAL, row, strict=True)))
                async for row in rows
            ]


_TOTAL: Final = ClientTotal.__struct_fields__[1:]


def _item(row: tuple[Any, ...]) -> ItemRecord:
    return ItemRecord(
        id=row[0],
        label=ShareLabel(*row[1:6]),
        entered_at=row[6],
        entered_with=row[7],
        requests=row[8],
        tokens=row[9],
        prompt_tokens=row[10],
        cost_pico=row[11],
        no_cache_pico=row[12],
        first_pico=row[13],
        is_measured=bool(row[14]),
    )


def _largest_first(place: tuple[int, int, int]) -> tuple[int, int, int]:
    return (-place[2], place[0], place[1])
