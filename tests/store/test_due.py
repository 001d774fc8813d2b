"""Which sessions are to be attributed again: those of which something changed, and no others."""

from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.store.test_contract import MODEL, NOON, event
from tests.store.test_loads import LIBRARY, load
from token_tracking.reading import ClientTotal, FileCursor, Reading, SessionSpan
from token_tracking.shares import SessionShares
from token_tracking.store import TokenStore
from token_tracking.usage import ContentItem, Place, Usage, UsageEvent

VERSION = 1
_CACHE = "cache_read = 0.25\ncache_write_5m = 1.5\ncache_write_1h = 3\n"


def _reading(
    seen: list[UsageEvent] | None = None,
    content: list[ContentItem] | None = None,
    spans: list[SessionSpan] | None = None,
    totals: list[ClientTotal] | None = None,
) -> Reading:
    cursor = FileCursor(
        path="/f", inode=1, modified_ns=1, size=1, offset=1, fingerprint="", chains=""
    )
    return Reading(
        cursor=cursor,
        events=seen or [],
        items=content or [],
        sessions=spans or [],
        client_totals=totals or [],
    )


async def _due(store: TokenStore) -> set[str]:
    """What is due, once: it is settled then."""
    due = await store.due_sessions(VERSION)
    await store.save_shares(
        [SessionShares(session_id=each.session_id) for each in due],
        {each.session_id: each.since for each in due},
        version=VERSION,
    )
    assert not await store.has_due(VERSION)
    return {each.session_id for each in due}


@pytest.fixture
async def settled(store: TokenStore) -> TokenStore:
    """Two sessions, of which nothing is due."""
    call = ContentItem(key="toolu_1", kind="tool", name="Read", message="msg_1", input_bytes=5)
    await store.save_readings([_reading([event(), event("msg_2", session="s2")], [call])])
    assert await _due(store) == {"s1", "s2"}
    return store


def _in(*sessions: str) -> UsageEvent:
    places = tuple(Place(session_id=each, timestamp=NOON, cwd="/p") for each in sessions)
    return event(places=places)


_CALL = ContentItem(key="toolu_1", kind="tool", name="Read", message="msg_1", input_bytes=5)
_TOTAL = ClientTotal(session_id="s2", model=MODEL, cost_pico=7)
_CHANGES: dict[str, tuple[Reading, set[str]]] = {
    "a new message": (_reading([event("msg_3")]), {"s1"}),
    "a larger sighting": (_reading([event(usage=Usage(input_tokens=1001))]), {"s1"}),
    "a result": (_reading([], [replace(_CALL, bytes=9, after="msg_1")]), {"s1"}),
    "a new item": (
        _reading([], [ContentItem(key="u1", kind="user", bytes=3, after="msg_2")]),
        {"s2"},
    ),
    "a call that turns out to be another message's": (
        _reading([], [replace(_CALL, message="msg_2")]),
        {"s1", "s2"},
    ),
    "an opening": (
        _reading(
            [event("msg_2", session="s2")],
            [ContentItem(key="u2", kind="user", bytes=3, sessions=("s2",))],
        ),
        {"s2"},
    ),
    "a client total": (
        _reading([], [], [SessionSpan(session_id="s2", first_at=NOON, last_at=NOON)], [_TOTAL]),
        {"s2"},
    ),
    "a copy in a later session": (
        _reading([_in("s3")], [], [SessionSpan(session_id="s3", first_at=NOON, last_at=NOON + 9)]),
        {"s3"},
    ),
}


@pytest.mark.parametrize("change", _CHANGES)
async def test_a_change_makes_its_sessions_due_once(settled: TokenStore, change: str) -> None:
    reading, expected = _CHANGES[change]
    before = await settled.data_version()
    await settled.save_readings([reading])
    assert await settled.data_version() > before
    assert await _due(settled) == expected
    before = await settled.data_version()
    await settled.save_readings([reading])
    assert await _due(settled) == set()
    assert await settled.data_version() == before


async def test_a_change_of_an_inherited_message_makes_forks_due(settled: TokenStore) -> None:
    fork = _reading(
        [_in("s3")], [], [SessionSpan(session_id="s3", first_at=NOON, last_at=NOON + 9)]
    )
    await settled.save_readings([fork])
    assert await _due(settled) == {"s3"}
    await settled.save_usage(event(usage=Usage(input_tokens=2000, output_tokens=10)))
    assert await _due(settled) == {"s1", "s3"}
    await settled.save_readings([_reading([], [replace(_CALL, bytes=9, after="msg_1")])])
    assert await _due(settled) == {"s1", "s3"}


async def test_a_message_that_moves_makes_both_sessions_due(settled: TokenStore) -> None:
    earlier = SessionSpan(session_id="s0", first_at=NOON - 9, last_at=NOON)
    await settled.save_readings([_reading([_in("s0")], [], [earlier])])
    assert await _due(settled) == {"s0", "s1"}


async def test_loads_make_their_session_and_that_of_their_call_due(settled: TokenStore) -> None:
    await settled.save_loads([load(session="s2", tool_use_id="toolu_1")], LIBRARY)
    assert await _due(settled) == {"s1", "s2"}
    await settled.save_loads([load(session="s2", tool_use_id="toolu_1")], LIBRARY)
    assert await _due(settled) == set()


async def test_new_prices_make_the_sessions_of_other_costs_due(
    settled: TokenStore, tmp_path: Path
) -> None:
    assert await settled.reprice() == 0
    assert await _due(settled) == set()
    prices = tmp_path / "prices.toml"
    prices.write_text(f'[[price]]\nmodel = "{MODEL}"\ninput = 1\noutput = 2\n{_CACHE}')
    async with TokenStore.opened(settled.location.path, user_prices=prices) as other:
        assert await other.reprice() == 2
        assert await _due(other) == {"s1", "s2"}


async def test_cleanup_makes_what_lost_messages_due(settled: TokenStore) -> None:
    await settled.cleanup(timedelta(days=36_500))
    assert await _due(settled) == set()
    await settled.cleanup(timedelta(0))
    assert await _due(settled) == {"s1", "s2"}
