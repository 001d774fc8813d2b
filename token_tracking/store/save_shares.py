"""One save of attribution, within one transaction that holds the write lock: what was stored of
the sessions is replaced, by writing what differs."""

from collections.abc import Mapping, Sequence
from typing import Any

import aiosqlite
from msgspec.structs import astuple

from token_tracking.errors import UnknownSessionError
from token_tracking.shares import ItemRecord, SessionShares, ShareLabel, ShareSums
from token_tracking.store.label_ids import LabelIds
from token_tracking.store.share_changes import (
    ShareChanges,
    stored_findings,
    stored_quarters,
    want_sessions,
)
from token_tracking.store.share_rows import (
    NO_SUMS,
    Row,
    ShareStatements,
    StoredSession,
    attribution_row,
    entry_order,
    facts_by_quarter,
    finding_key,
    finding_rows,
    finding_sums,
)

_ItemKey = tuple[int | None, str | None]
_ItemRow = tuple[Any, ...]
"""The columns of an item without the first two."""


class SaveShares:
    """The steps of one save. The caller began the transaction, and commits it. `labels` are the
    rows of labels that are known to be committed."""

    def __init__(
        self,
        connection: aiosqlite.Connection,
        statements: ShareStatements,
        labels: dict[ShareLabel, int],
    ) -> None:
        self._db = connection
        self._statements = statements
        self._sql: Any = statements.queries
        self._ids = LabelIds(connection, self._sql, labels)
        self._changes = ShareChanges()
        self._sessions: dict[str, StoredSession] = {}
        self._messages: dict[str, int] = {}
        self._items: list[_ItemRow] = []
        self._quarters: list[Row] = []
        self._facts: list[Row] = []
        self._gone_items: list[dict[str, int]] = []
        self._gone_quarters: list[dict[str, int]] = []
        self._gone_facts: list[dict[str, int]] = []

    @property
    def new_labels(self) -> dict[ShareLabel, int]:
        """The labels that got a row: known once the transaction is committed."""
        return self._ids.new

    async def run(
        self, shares: Sequence[SessionShares], since: Mapping[str, int], version: int
    ) -> None:
        """Replace what is stored of these sessions. One that was marked again after `since` stays
        due.

        Raises:
            UnknownSessionError: the ledger has no such session.
        """
        if not shares:
            return
        await self._find(shares)
        stored = [each.row for each in self._sessions.values() if each.is_stored]
        items = await self._stored_items(stored)
        quarters, facts = await stored_quarters(self._db, self._sql, stored)
        for each in shares:
            session = self._sessions[each.session_id]
            self._compare_items(session.row, each.items, items.get(session.row, {}))
            self._compare_quarters(session, each.sums, quarters.get(session.row, {}))
            self._compare_facts(session, facts_by_quarter(each), facts.get(session.row, {}))
        await self._write_findings(shares, stored)
        await self._write()
        await self._sql.save_attribution(
            self._db, [attribution_row(each, self._sessions, version) for each in shares]
        )
        await self._sql.clear_due(
            self._db,
            [
                {"session_id": self._sessions[each.session_id].row, "since": since[each.session_id]}
                for each in shares
                if each.session_id in since
            ],
        )
        if self._is_changed(shares):
            await self._sql.count_change(self._db)

    def _is_changed(self, shares: Sequence[SessionShares]) -> bool:
        rows = (self._items, self._quarters, self._facts)
        gone = (self._gone_items, self._gone_quarters, self._gone_facts)
        return any(rows) or any(gone) or any(each.findings for each in shares)

    async def _find(self, shares: Sequence[SessionShares]) -> None:
        await self._sql.clear_wanted(self._db)
        await self._sql.want(self._db, [{"name": each.session_id} for each in shares])
        async for name, row, project, is_stored in self._sql.sessions_to_save(self._db):
            self._sessions[name] = StoredSession(row, project, bool(is_stored))
        for each in shares:
            if each.session_id not in self._sessions:
                raise UnknownSessionError(
                    f"No session {each.session_id!r} in the ledger: ingest it first."
                )
        await want_sessions(
            self._db, self._sql, [session.row for session in self._sessions.values()]
        )
        async for key, row in self._sql.keys_of_sessions(self._db):
            self._messages[key] = row
        labels = {label for each in shares for _, label in each.sums}
        labels |= {item.label for each in shares for item in each.items}
        await self._ids.find(
            labels, {finding.subject for each in shares for finding in each.findings}
        )

    async def _stored_items(
        self, sessions: Sequence[int]
    ) -> dict[int, dict[_ItemKey, tuple[int, _ItemRow]]]:
        if not sessions:
            return {}
        await want_sessions(self._db, self._sql, sessions)
        found: dict[int, dict[_ItemKey, tuple[int, _ItemRow]]] = {}
        async for row in self._sql.stored_items(self._db):
            found.setdefault(row[0], {})[row[2], row[3]] = (row[1], tuple(row[2:]))
        return found

    def _compare_items(
        self,
        session: int,
        items: Sequence[ItemRecord],
        stored: dict[_ItemKey, tuple[int, _ItemRow]],
    ) -> None:
        """An item keeps its number; new ones are numbered as they entered."""
        if not stored:
            self._new_items(session, items)
            return
        last = max(number for number, _ in stored.values())
        kept: set[_ItemKey] = set()
        for item in items:
            row = self._item_row(item)
            key: _ItemKey = (row[0], row[1])
            if key in kept:
                raise ValueError(f"{item.id} is two items of one session")
            kept.add(key)
            known = stored.get(key)
            if known is None:
                last += 1
                self._items.append((session, last, *row))
            elif known[1] != row:
                self._gone_items.append({"session_id": session, "number": known[0]})
                self._items.append((session, known[0], *row))
        self._gone_items += [
            {"session_id": session, "number": number}
            for key, (number, _) in stored.items()
            if key not in kept
        ]

    def _new_items(self, session: int, items: Sequence[ItemRecord]) -> None:
        names = {item.id for item in items}
        if len(names) < len(items):
            raise ValueError("two items of one session have one id")
        row = self._item_row
        entered = sorted(items, key=entry_order)
        self._items += [(session, number, *row(item)) for number, item in enumerate(entered, 1)]

    def _item_row(self, item: ItemRecord) -> _ItemRow:
        message = self._messages.get(item.id)
        with_ = item.entered_with
        return (
            message,
            item.id if message is None else None,
            self._ids.rows[item.label],
            item.entered_at,
            None if with_ is None else self._messages.get(with_),
            item.requests,
            item.tokens,
            item.prompt_tokens,
            item.cost_pico,
            item.no_cache_pico,
            item.first_pico,
            int(item.is_measured),
            int(item.label.uri is not None),
        )

    def _compare_quarters(
        self,
        session: StoredSession,
        sums: Mapping[tuple[int, ShareLabel], ShareSums],
        stored: dict[tuple[int, int], Row],
    ) -> None:
        if not stored:
            self._new_quarters(session, sums)
            return
        row, project, _ = session
        ids, changes = self._ids.rows, self._changes
        kept: set[tuple[int, int]] = set()
        for (quarter, label), each in sums.items():
            new = astuple(each)
            if new == NO_SUMS:
                continue
            key = (quarter, ids[label])
            kept.add(key)
            known = stored.get(key)
            if known == new:
                continue
            if known is not None:
                self._drop_quarter(session, key, known)
            self._quarters.append((key[0], row, key[1], *new))
            changes.add_share(project, *key, new)
        for key, known in stored.items():
            if key not in kept:
                self._drop_quarter(session, key, known)

    def _new_quarters(
        self, session: StoredSession, sums: Mapping[tuple[int, ShareLabel], ShareSums]
    ) -> None:
        row, project, _ = session
        labels, add_share, quarters = self._ids.rows, self._changes.add_share, self._quarters
        for (quarter, label), each in sums.items():
            new = astuple(each)
            if new != NO_SUMS:
                number = labels[label]
                quarters.append((quarter, row, number, *new))
                add_share(project, quarter, number, new)

    def _drop_quarter(self, session: StoredSession, key: tuple[int, int], known: Row) -> None:
        quarter, label = key
        self._gone_quarters.append(
            {"quarter": quarter, "session_id": session.row, "label_id": label}
        )
        self._changes.take_share(session.project, quarter, label, known)

    def _compare_facts(
        self, session: StoredSession, facts: Mapping[int, Row], stored: dict[int, Row]
    ) -> None:
        for quarter in facts.keys() | stored.keys():
            new, known = facts.get(quarter), stored.get(quarter)
            if new == known:
                continue
            if known is not None:
                self._gone_facts.append({"session_id": session.row, "quarter": quarter})
                self._changes.add_facts(session.project, quarter, known, -1)
            if new is not None:
                self._facts.append((session.row, quarter, *new))
                self._changes.add_facts(session.project, quarter, new)

    async def _write(self) -> None:
        sql, db, statements = self._sql, self._db, self._statements
        await sql.delete_item_share(db, self._gone_items)
        await sql.delete_share_quarter(db, self._gone_quarters)
        await sql.delete_fact_quarter(db, self._gone_facts)
        await statements.item.run(db, self._items)
        await statements.quarter.run(db, sorted(self._quarters))
        await statements.facts.run(db, self._facts)
        await self._changes.write(db, sql)

    async def _write_findings(self, shares: Sequence[SessionShares], stored: Sequence[int]) -> None:
        sessions = {each.row: each for each in self._sessions.values()}
        known = await stored_findings(self._db, self._sql, stored)
        for row, sums in known.items():
            for key, each in sums.items():
                self._changes.add_findings(sessions[row].project, key, each, -1)
        await self._sql.delete_findings(self._db, [{"session_id": row} for row in known])
        rows: list[dict[str, Any]] = []
        for each in shares:
            session = self._sessions[each.session_id]
            found = finding_rows(session.row, each.findings, self._ids.names)
            for row in found:
                self._changes.add_findings(session.project, finding_key(row), finding_sums(row))
            rows += found
        await self._sql.insert_finding(self._db, rows)
