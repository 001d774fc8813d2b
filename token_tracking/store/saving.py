"""One save: a batch into the ledger, within one transaction that holds the write lock.

Known messages are read, joined by `token_tracking.merge`, priced again where that changed them,
and written; then the owners of shared messages and the sums are derived anew.
"""

from collections import defaultdict
from collections.abc import Iterable
from itertools import groupby
from typing import Any

import aiosqlite
from msgspec.structs import asdict, replace

from token_tracking.merge import join
from token_tracking.pricing import PriceBook
from token_tracking.reading import SessionSpan, join_spans
from token_tracking.store.batch import Batch
from token_tracking.store.bulk import Bulk
from token_tracking.store.marks import Marks
from token_tracking.store.records import Saved
from token_tracking.store.rows import (
    ITEM_COLUMNS,
    KNOWN_IDS,
    MESSAGE_COLUMNS,
    PLACEMENT_COLUMNS,
    QUARTER_MS,
    Ids,
    Row,
    known_event,
    known_place,
    message_row,
    place_row,
)
from token_tracking.store.save_items import SaveItems
from token_tracking.store.share_moves import move_shares
from token_tracking.store.sums import move_days, sum_anew
from token_tracking.usage import Place, UsageEvent


class Statements:
    """The named queries, and those of them that take many rows at once."""

    def __init__(self, queries: Any) -> None:
        self.queries = queries
        self.message = Bulk(queries.upsert_message.sql, MESSAGE_COLUMNS)
        self.placement = Bulk(queries.upsert_placement.sql, PLACEMENT_COLUMNS)
        self.item = Bulk(queries.upsert_item.sql, ITEM_COLUMNS)


class Save:
    """The steps of one save. The caller began the transaction, and commits it."""

    def __init__(
        self, connection: aiosqlite.Connection, statements: "Statements", prices: PriceBook
    ) -> None:
        self._db = connection
        self._statements = statements
        self._sql: Any = statements.queries
        self._prices = prices
        self._ids = Ids()
        self._known: dict[str, UsageEvent] = {}
        self._owners: dict[str, str] = {}
        self._placed: set[str] = set()
        self._dirty: set[tuple[int, int]] = set()
        self._touched: set[int] = set()
        self._marks = Marks()
        self._marked: set[str] = set()
        self._had_messages = False

    async def run(self, batch: Batch) -> Saved:
        """Save all of it; what it changed."""
        kept_from: int | None = await self._sql.kept_from(self._db)
        if kept_from is not None:
            batch.drop_before(kept_from)
        await self._save_names(batch.names())
        await self._save_sessions(batch)
        await self._find_messages(batch)
        await self._save_messages(batch.events)
        items = SaveItems(self._db, self._sql, self._ids, self._marks, self._marked)
        self._dirty |= await items.run(
            self._statements.item, batch, is_first=not self._had_messages
        )
        await items.save_client_totals(batch.client_totals.values())
        await self._save_owners()
        await self._save_files(batch)
        saved = await sum_anew(self._db, self._sql, self._dirty)
        await self._marks.write(self._db, self._sql)
        return saved

    async def _want(self, names: Iterable[str]) -> None:
        await self._sql.clear_wanted(self._db)
        await self._sql.want(self._db, [{"name": name} for name in sorted(names)])

    async def _save_names(self, names: set[str]) -> None:
        await self._want(names)
        ids = self._ids.names
        async for name, name_id in self._sql.name_ids(self._db):
            ids[name] = name_id
        last: int = await self._sql.last_name_id(self._db)
        new = sorted(names - ids.keys())
        ids.update((name, name_id) for name_id, name in enumerate(new, start=last + 1))
        await self._sql.insert_name(self._db, [{"id": ids[name], "name": name} for name in new])

    async def _save_sessions(self, batch: Batch) -> None:
        spans = batch.spans
        await self._want(batch.sessions())
        known: dict[str, SessionSpan] = {}
        ids = self._ids.sessions
        async for row in self._sql.known_spans(self._db):
            ids[row[1]] = row[0]
            if row[5] is not None:
                self._ids.names[row[5]] = row[7]
            if row[2] is None:
                continue
            known[row[1]] = SessionSpan(
                session_id=row[1],
                first_at=row[2],
                last_at=row[3],
                born=row[4],
                cwd=row[5],
                cwd_at=row[6],
            )
        last: int = await self._sql.last_session_id(self._db)
        new = sorted(batch.sessions() - ids.keys())
        ids.update((session, row_id) for row_id, session in enumerate(new, start=last + 1))
        timeless = [_timeless(session, ids[session]) for session in new if session not in spans]
        changed = {
            session: join_spans(known[session], span) if session in known else span
            for session, span in spans.items()
        }
        changed = {key: span for key, span in changed.items() if span != known.get(key)}
        self._touched |= {ids[session] for session in changed}
        self._marks.is_changed = bool(changed)
        await self._move(known, changed)
        await self._sql.upsert_session(
            self._db, timeless + [self._session_row(span) for span in changed.values()]
        )

    async def _move(self, known: dict[str, SessionSpan], changed: dict[str, SessionSpan]) -> None:
        """Sessions that turn out to have begun in another folder take their history there."""
        ids = self._ids
        moves = {
            ids.sessions[key]: (ids.name(known[key].cwd) or 0, ids.name(span.cwd) or 0)
            for key, span in changed.items()
            if key in known and known[key].cwd != span.cwd
        }
        if moves:
            await move_days(self._db, self._sql, moves)
            await move_shares(self._db, self._sql, moves)

    def _session_row(self, span: SessionSpan) -> dict[str, Any]:
        return {
            "id": self._ids.sessions[span.session_id],
            "session_id": span.session_id,
            "born": span.born,
            "first_at": span.first_at,
            "last_at": span.last_at,
            "project_id": self._ids.name(span.cwd),
            "project_at": span.cwd_at,
        }

    async def _find_messages(self, batch: Batch) -> None:
        """The ledger's state of the messages in the batch, and the ids of all it refers to."""
        last: int = await self._sql.last_message_id(self._db)
        ids = self._ids.messages
        self._had_messages = last > 0
        if last:
            await self._want(batch.events)
            async for row in self._sql.known_messages(self._db):
                event = known_event(row)
                ids[event.key] = row[0]
                self._known[event.key] = event
                self._owners[event.key] = event.places[0].session_id
                self._ids.see(event.places[0], row[KNOWN_IDS:])
            await self._find_placements()
            await self._want(batch.references() - batch.events.keys())
            async for key, message_id in self._sql.message_ids(self._db):
                ids[key] = message_id
        new = sorted(batch.events.keys() - self._known.keys())
        ids.update((key, message_id) for message_id, key in enumerate(new, start=last + 1))

    async def _find_placements(self) -> None:
        places: defaultdict[str, list[Place]] = defaultdict(list)
        async for row in self._sql.known_placements(self._db):
            place = known_place(row)
            places[row[0]].append(place)
            self._ids.see(place, row[6:])
        self._placed = set(places)
        for key, found in places.items():
            found.sort(key=lambda place: place.session_id)
            self._known[key] = replace(self._known[key], places=tuple(found))

    async def _save_messages(self, events: dict[str, UsageEvent]) -> None:
        rows: list[Row] = []
        placements: list[Row] = []
        replaced: list[dict[str, int]] = []
        sessions = self._ids.sessions
        for key, event in sorted(events.items()):
            known = self._known.get(key)
            joined = event if known is None else join(known, event)
            place = _place_of(joined, self._owners.get(key))
            self._dirty.add((sessions[place.session_id], joined.timestamp // QUARTER_MS))
            if joined == known:
                continue
            if known is not None:
                owners = {place.session_id, self._owners[key]}
                self._dirty |= {(sessions[each], known.timestamp // QUARTER_MS) for each in owners}
            self._mark(known, joined)
            rows.append(message_row(joined, place, self._ids, self._prices))
            if len(joined.places) > 1 or place.timestamp != joined.timestamp:
                placements += [self._placement_row(key, other) for other in joined.places]
            if key in self._placed:
                replaced.append({"message_id": self._ids.messages[key]})
        self._touched |= {row[2] for row in placements}
        await self._statements.message.run(self._db, rows)
        await self._sql.clear_placements(self._db, replaced)
        await self._statements.placement.run(self._db, placements)

    def _mark(self, known: UsageEvent | None, joined: UsageEvent) -> None:
        """A copy in another session alone changes nothing for the others."""
        before = () if known is None else known.places
        places = joined.places
        if known is not None and replace(joined, places=before) == known:
            places = [each for each in places if self._resolved(each) not in before]
        else:
            self._marked.add(joined.key)
        gone = {place.session_id for place in before}
        gone -= {place.session_id for place in joined.places}
        marked = gone | {place.session_id for place in places}
        self._marks.sessions |= {self._ids.sessions[session] for session in marked}

    def _resolved(self, place: Place) -> Place:
        """The place as a row tells of it: without a parent that the ledger does not have."""
        return place if place.parent in self._ids.messages else replace(place, parent=None)

    def _placement_row(self, key: str, place: Place) -> Row:
        return (self._ids.messages[key], place.timestamp, *place_row(place, self._ids))

    async def _save_owners(self) -> None:
        """Give shared messages to the session that wrote them: see `merge.owner`."""
        await self._sql.clear_wanted_ids(self._db)
        await self._sql.want_id(self._db, [{"id": session} for session in sorted(self._touched)])
        places = [row async for row in self._sql.shared_places(self._db)]
        moves: list[dict[str, int]] = []
        for message, rows in groupby(sorted(places), key=lambda row: row[0]):
            shared = list(rows)
            _, at, now, *_ = shared[0]
            best = min(shared, key=lambda row: row[4:])[3]
            if best != now:
                quarter = at // QUARTER_MS
                self._dirty |= {(now, quarter), (best, quarter)}
                self._marks.sessions |= {now, best}
                moves.append({"message_id": message, "session_id": best})
        await self._sql.move_message(self._db, moves)

    async def _save_files(self, batch: Batch) -> None:
        await self._sql.upsert_file(self._db, [asdict(cursor) for cursor in batch.cursors.values()])


def _timeless(session: str, row_id: int) -> dict[str, Any]:
    """A session that only lines without a time have named so far."""
    columns = ("born", "first_at", "last_at", "project_id", "project_at")
    return {"id": row_id, "session_id": session, **dict.fromkeys(columns)}


def _place_of(event: UsageEvent, session: str | None) -> Place:
    """The place that stands in the message's own row: the known owner's, else any."""
    for place in event.places:
        if place.session_id == session:
            return place
    return event.places[0]
