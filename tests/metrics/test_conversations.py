"""How long earlier conversations lasted."""

import time
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.store.test_contract import event
from token_tracking.errors import InvalidPeriodError
from token_tracking.metrics import TokenMetrics
from token_tracking.store import TokenStore
from token_tracking.usage import SYNTHETIC_MODEL, Place, UsageEvent
from token_tracking.window import LearnedRemaining, UsualRemaining

HOUR = 3_600_000
DAY = 24 * HOUR
NOW = time.time_ns() // 1_000_000


def conversation(session: str, requests: int, days_ago: float, **fields: Any) -> list[UsageEvent]:
    """Its messages, a minute apart; the last one is that long ago."""
    end = NOW - int(days_ago * DAY)
    return [
        event(
            f"msg_{session}_{fields.get('agent_id', '')}_{n}", end - n * 60_000, session, **fields
        )
        for n in range(requests)
    ]


async def lengths(store: TokenStore, *conversations: list[UsageEvent], **asked: Any) -> list[int]:
    await store.save_usage([each for messages in conversations for each in messages])
    return await TokenMetrics(store).conversation_lengths(**asked)


async def test_an_empty_ledger_has_no_conversations(store: TokenStore) -> None:
    assert await lengths(store) == []


async def test_lengths_are_those_of_the_newest_conversations_first(store: TokenStore) -> None:
    found = await lengths(
        store, conversation("old", 3, 9), conversation("new", 7, 2), conversation("mid", 5, 4)
    )
    assert found == [7, 5, 3]


async def test_a_session_that_may_still_go_on_is_left_out(store: TokenStore) -> None:
    ended, open_ = conversation("ended", 2, 1.01), conversation("open", 9, 0.99)
    assert await lengths(store, ended, open_) == [2]
    assert await lengths(store, silent=timedelta(hours=1)) == [9, 2]


async def test_only_so_many_are_given(store: TokenStore) -> None:
    sessions = [conversation(f"s{n}", n, 20 - n) for n in range(1, 6)]
    assert await lengths(store, *sessions, limit=2) == [5, 4]
    assert await lengths(store, limit=0) == []


async def test_each_agent_has_a_conversation_of_its_own(store: TokenStore) -> None:
    found = await lengths(
        store,
        conversation("s", 4, 2),
        conversation("s", 2, 3, agent_id="a1", is_sidechain=True),
        conversation("s", 3, 3, agent_id="a2", is_sidechain=True),
    )
    assert sorted(found) == [2, 3, 4]


async def test_agents_that_are_not_named_are_not_taken_for_one(store: TokenStore) -> None:
    found = await lengths(
        store, conversation("s", 2, 2), conversation("t", 9, 2, is_sidechain=True)
    )
    assert found == [2]


async def test_a_fork_includes_what_it_inherited(store: TokenStore) -> None:
    parent = conversation("parent", 3, 5)
    copies = [
        event(each.key, each.timestamp, places=(Place(session_id="fork", timestamp=NOW - 4 * DAY),))
        for each in parent
    ]
    assert await lengths(store, parent, copies, conversation("fork", 2, 3)) == [5, 3]


async def test_what_no_model_answered_is_no_request(store: TokenStore) -> None:
    asked, stood = conversation("s", 3, 2), conversation("t", 2, 3, model=SYNTHETIC_MODEL)
    assert await lengths(store, asked, stood) == [3]


async def test_messages_without_a_session_are_no_conversation(store: TokenStore) -> None:
    assert await lengths(store, conversation("", 3, 2)) == []


async def test_a_negative_silence_is_refused(store: TokenStore) -> None:
    with pytest.raises(InvalidPeriodError, match="silent"):
        await lengths(store, silent=timedelta(hours=-1))


async def test_sessions_are_found_by_an_index_and_their_messages_by_another(
    store: TokenStore,
) -> None:
    sql: str = store._sql.conversation_lengths.sql  # pyright: ignore[reportPrivateUsage]
    given = {"before": NOW, "limit": 9, "synthetic": SYNTHETIC_MODEL}
    cursor = await store._db.execute(f"EXPLAIN QUERY PLAN {sql}", given)  # pyright: ignore[reportPrivateUsage]
    plan = [row[3] for row in await cursor.fetchall()]
    assert "SEARCH s USING INDEX sessions_by_end (last_at<?)" in plan
    assert "SEARCH m USING INDEX messages_by_session (session_id=?)" in plan
    assert not {"SCAN s", "SCAN m", "SCAN p"} & set(plan)


async def test_what_is_learned_is_the_mean_of_what_conversations_that_lasted_still_made(
    store: TokenStore,
) -> None:
    sessions = [conversation(f"s{n}", n, n) for n in range(2, 22)]
    remaining = LearnedRemaining(await lengths(store, *sessions))
    assert remaining.expected(1) == pytest.approx(10.5)
    # Of 2 to 21 requests, those over 11 made 16.5 on average.
    assert remaining.expected(11) == pytest.approx(5.5)


@given(st.lists(st.integers(0, 3000), max_size=40), st.integers(0, 5000))
def test_some_requests_are_always_expected(known: list[int], made: int) -> None:
    assert LearnedRemaining(known).expected(made) > 0


@given(st.lists(st.integers(1, 3000), max_size=7), st.integers(0, 5000))
def test_too_few_conversations_teach_nothing(known: list[int], made: int) -> None:
    assert LearnedRemaining(known).expected(made) == UsualRemaining().expected(made)
