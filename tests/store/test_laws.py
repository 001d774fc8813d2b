"""The database keeps the join's laws: any order, repetition and split gives the same ledger."""

from typing import Any

import aiosqlite
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.events import KEYS, events, items, parents, sessions
from tests.ledgers import dump
from token_tracking.merge import join, join_item, owner
from token_tracking.reading import FileCursor, Reading
from token_tracking.store import Sums, TokenStore
from token_tracking.store.migrate import MIGRATIONS
from token_tracking.store.queries import load_queries
from token_tracking.store.rows import MESSAGE_COLUMNS
from token_tracking.usage import ContentItem, UsageEvent

# Each example opens databases: shrinking a failure would take minutes.
_quick = settings(
    max_examples=50,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

_sightings = st.lists(events(), min_size=1, max_size=8)


def _reading(seen: list[UsageEvent], content: list[ContentItem]) -> Reading:
    cursor = FileCursor(
        path="/f",
        inode=1,
        modified_ns=1,
        size=1,
        offset=1,
        fingerprint="",
        chains="",
    )
    return Reading(cursor=cursor, events=seen, items=content, sessions=[], client_totals=[])


@_quick
@given(seen=_sightings, content=st.lists(items, max_size=4), data=st.data())
async def test_any_interleaving_repetition_and_split_gives_the_same_ledger(
    tmp_path_factory: pytest.TempPathFactory,
    seen: list[UsageEvent],
    content: list[ContentItem],
    data: st.DataObject,
) -> None:
    folder = tmp_path_factory.mktemp("laws")
    whole = _reading(seen, content)
    for database in ("whole.db", "parts.db"):
        async with TokenStore.opened(folder / database) as store:
            await store.save_usage([*parents, *sessions])
    async with TokenStore.opened(folder / "whole.db") as store:
        await store.save_readings([whole])
    order = data.draw(st.permutations(seen * 2))
    cut = data.draw(st.integers(0, len(order)))
    async with (
        TokenStore.opened(folder / "parts.db") as one,
        TokenStore.opened(folder / "parts.db") as other,
    ):
        await one.save_readings([_reading(order[:cut], [])])
        for event in order[cut:]:
            await other.save_readings([_reading([event], [])])
        for item in reversed(content):
            await one.save_readings([_reading([], [item])])
    assert await dump(folder / "parts.db") == await dump(folder / "whole.db")


@_quick
@given(seen=_sightings)
async def test_the_ledger_holds_the_join_of_all_sightings(
    tmp_path_factory: pytest.TempPathFactory, seen: list[UsageEvent]
) -> None:
    joined: dict[str, UsageEvent] = {}
    for event in seen:
        joined[event.key] = join(joined[event.key], event) if event.key in joined else event
    async with TokenStore.opened(tmp_path_factory.mktemp("laws") / "l.db") as store:
        await store.save_usage(parents)
        for event in seen:
            await store.save_usage(event)
        rows = await store.get_recent_usage(100)
        found = {row.message_id: row for row in rows if row.message_id in KEYS}
        cells = [cell for cell in await store.totals("session") if cell[0] != "s0"]
    assert found.keys() == joined.keys()
    spans: dict[str, tuple[int, int]] = {}
    for event in seen:
        (place,) = event.places
        first, last = spans.get(place.session_id, (place.timestamp, place.timestamp))
        spans[place.session_id] = (min(first, place.timestamp), max(last, place.timestamp))
    for key, event in joined.items():
        row = found[key]
        assert row.usage == event.usage
        assert (row.timestamp, row.model, row.stop_reason) == (
            event.timestamp,
            event.model,
            event.stop_reason,
        )
        owned = owner((*spans[place.session_id], place.session_id) for place in event.places)
        assert row.session_id == owned
        (place,) = (place for place in event.places if place.session_id == owned)
        assert (row.cwd, row.git_branch) == (place.cwd, place.git_branch)
    total = sum((sums for _, _, sums in cells), start=Sums())
    one_by_one = sum((Sums.of(row) for row in found.values()), start=Sums())
    assert total == one_by_one


def _core(event: UsageEvent) -> dict[str, object]:
    """The columns that the join defines, without those that are derived or name a place."""
    usage = {name: getattr(event.usage, name) for name in event.usage.__struct_fields__}
    fields = {
        name: getattr(event, name)
        for name in event.__struct_fields__
        if name not in {"usage", "timestamp", "places", "extra"}
    }
    return {**usage, **fields, "at": event.timestamp}


@_quick
@given(a=events(key="msg_1"), b=events(key="msg_1"))
async def test_the_upsert_of_messages_is_the_join(a: UsageEvent, b: UsageEvent) -> None:
    queries: Any = load_queries()
    derived = dict.fromkeys(MESSAGE_COLUMNS)
    async with aiosqlite.connect(":memory:") as connection:
        await connection.executescript(_schema())
        for event in (a, b):
            row = {**derived, **_core(event), "id": 1, "session_id": 1}
            await connection.execute(queries.upsert_message.sql, row)
        connection.row_factory = aiosqlite.Row
        (row,) = await connection.execute_fetchall("SELECT * FROM messages")
    expected = _core(join(a, b))
    assert {name: row[name] for name in expected} == expected


@_quick
@given(a=items, b=items)
async def test_the_upsert_of_items_is_the_join(a: ContentItem, b: ContentItem) -> None:
    b = replace(b, key=a.key)
    queries: Any = load_queries()
    # Ids whose order is not that of their names: the join compares names.
    names = {"b": 1, "a": 2}
    messages = {"msg_q": 1, "msg_p": 2}
    async with aiosqlite.connect(":memory:") as connection:
        await connection.executescript(_schema())
        await connection.executemany("INSERT INTO names (name, id) VALUES (?, ?)", names.items())
        for key, number in messages.items():
            row = {**dict.fromkeys(MESSAGE_COLUMNS, 0), "key": key, "id": number, "source": ""}
            await connection.execute(queries.upsert_message.sql, row)
        for item in (a, b):
            row = {
                **{name: getattr(item, name) for name in item.__struct_fields__},
                "name_id": names.get(item.name or ""),
                "server_id": names.get(item.server or ""),
                "uri_id": names.get(item.uri or ""),
                "message_id": messages.get(item.message or ""),
                "after_id": messages.get(item.after or ""),
            }
            row.pop("sessions")
            await connection.execute(queries.upsert_item.sql, row)
        connection.row_factory = aiosqlite.Row
        (row,) = await connection.execute_fetchall("SELECT * FROM items")
    joined = join_item(a, b)
    assert (row["kind"], row["bytes"], row["input_bytes"], row["position"], row["detail"]) == (
        joined.kind,
        joined.bytes,
        joined.input_bytes,
        joined.position,
        joined.detail,
    )
    assert (row["name_id"], row["server_id"], row["uri_id"]) == (
        names.get(joined.name or ""),
        names.get(joined.server or ""),
        names.get(joined.uri or ""),
    )
    assert (row["message_id"], row["after_id"]) == (
        messages.get(joined.message or ""),
        messages.get(joined.after or ""),
    )


def _schema() -> str:
    return "".join(file.read_text() for file in sorted(MIGRATIONS.glob("*.sql")))
