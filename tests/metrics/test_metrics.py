from datetime import UTC
from decimal import Decimal
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.store.test_contract import MODEL, NOON, event
from token_tracking.metrics import By, TokenMetrics
from token_tracking.metrics.blocks import BLOCK_MS, blocks
from token_tracking.store import MessageSums, Sums, TokenStore
from token_tracking.usage import Place, Usage

HOUR = 3_600_000
DAY = 24 * HOUR


def placed(session: str, at: int, cwd: str) -> dict[str, Any]:
    return {"places": (Place(session_id=session, timestamp=at, cwd=cwd),)}


async def report(store: TokenStore, by: By, period: str = "all", **chosen: str) -> dict[str, int]:
    found = await TokenMetrics(store, UTC).get_report(by, period, **chosen)
    return {row.label: row.sums.messages for row in found.rows}


@pytest.fixture(autouse=True)
async def ledger(store: TokenStore) -> None:
    """Monday noon, an hour later, the next Sunday, the next month."""
    await store.save_usage(
        [
            event("msg_1", NOON, "s1"),
            event("msg_2", NOON + HOUR, "s1", model="claude-haiku-4-5-20251001"),
            event("msg_3", NOON + 6 * DAY, "s2", **placed("s2", NOON + 6 * DAY, "/q")),
            event("msg_4", NOON + 40 * DAY, "s3", model="nobody-knows"),
        ]
    )


async def test_totals_by_day_week_and_month(store: TokenStore) -> None:
    assert await report(store, "day") == {"2026-03-02": 2, "2026-03-08": 1, "2026-04-11": 1}
    assert await report(store, "week") == {"2026-03-02": 3, "2026-04-06": 1}
    assert await report(store, "month") == {"2026-03": 3, "2026-04": 1}


async def test_days_are_those_of_the_time_zone(store: TokenStore) -> None:
    found = await TokenMetrics(store, ZoneInfo("Pacific/Auckland")).get_report("day")
    assert [row.label for row in found.rows] == ["2026-03-03", "2026-03-09", "2026-04-12"]


async def test_totals_by_model_project_and_session(store: TokenStore) -> None:
    assert await report(store, "model") == {
        MODEL: 2,
        "claude-haiku-4-5-20251001": 1,
        "nobody-knows": 1,
    }
    assert await report(store, "project") == {"/p": 3, "/q": 1}
    assert await report(store, "session") == {"s1": 2, "s2": 1, "s3": 1}


async def test_a_period_chooses(store: TokenStore) -> None:
    assert await report(store, "session", "2026-03-02..2026-03-08") == {"s1": 2}


async def test_a_model_is_chosen_in_any_spelling(store: TokenStore) -> None:
    for spelling in ("haiku", "claude-haiku-4.5", "anthropic/claude-haiku-4-5"):
        assert await report(store, "day", model=spelling) == {"2026-03-02": 1}
    assert await report(store, "day", model="gpt") == {}


async def test_a_project_is_chosen_by_a_part_of_its_path(store: TokenStore) -> None:
    assert await report(store, "session", project="q") == {"s2": 1}
    assert await report(store, "session", project="/p") == {"s1": 2, "s3": 1}
    assert await report(store, "session", project="zzz") == {}


@pytest.mark.parametrize("by", ["day", "week", "month", "block", "model", "project", "session"])
async def test_the_rows_of_every_grouping_add_up_to_the_same(store: TokenStore, by: By) -> None:
    found = await TokenMetrics(store, UTC).get_report(by)
    assert sum((row.sums for row in found.rows), start=Sums()) == found.totals
    assert (found.totals.messages, found.totals.unpriced_messages) == (4, 1)
    assert found.unpriced_models == {"nobody-knows": 1}


async def test_the_summary_says_what_caching_saved(store: TokenStore) -> None:
    usage = Usage(
        cache_read_tokens=1_000_000, cache_write_5m_tokens=100_000, cache_write_1h_tokens=100_000
    )
    await store.save_usage(event("msg_5", NOON + 50 * DAY, "s5", usage=usage))
    summary = await TokenMetrics(store, UTC).get_summary("2026-04-15..")
    # Opus 4.6: input 5 USD a million, reads 0.50, writes 6.25 and 10.
    assert summary.cache.write_premium_usd == Decimal("0.625")
    assert summary.cache.net_savings_usd == Decimal(6) - (
        Decimal("0.5") + Decimal("0.625") + Decimal(1)
    )
    assert summary.cache.hit_rate == pytest.approx(1_000_000 / 1_200_000)  # pyright: ignore[reportUnknownMemberType]


async def test_savings_that_are_negative_are_shown_so(store: TokenStore) -> None:
    await store.save_usage(
        event("msg_5", NOON + 50 * DAY, "s5", usage=Usage(cache_write_1h_tokens=1_000_000))
    )
    summary = await TokenMetrics(store, UTC).get_summary("2026-04-15..")
    assert summary.cache.net_savings_usd == Decimal(-5)


async def test_what_is_unknown_is_none(store: TokenStore) -> None:
    summary = await TokenMetrics(store, UTC).get_summary("2026-04-10..2026-04-12")
    assert (summary.cache.net_savings_usd, summary.cache.write_premium_usd) == (None, None)
    empty = await TokenMetrics(store, UTC).get_summary("2020-01-01..2020-01-02")
    assert (empty.sums, empty.cache.hit_rate) == (Sums(), None)


def test_a_block_is_five_hours_from_a_first_message() -> None:
    times = [0, BLOCK_MS - 1, BLOCK_MS, BLOCK_MS + 1, 3 * BLOCK_MS]
    found = blocks(MessageSums(at, "m", None, Sums(messages=1)) for at in times)
    assert [(block.first_at, block.last_at) for block in found] == [
        (0, BLOCK_MS - 1),
        (BLOCK_MS, BLOCK_MS + 1),
        (3 * BLOCK_MS, 3 * BLOCK_MS),
    ]
    assert found[0].models["m"].messages == 2


@given(st.lists(st.integers(0, 10 * BLOCK_MS)).map(sorted))
def test_every_message_is_in_one_block_and_no_block_is_too_long(times: list[int]) -> None:
    found = blocks(MessageSums(at, "m", None, Sums(messages=1)) for at in times)
    assert sum(block.models["m"].messages for block in found) == len(times)
    assert all(block.last_at - block.first_at < BLOCK_MS for block in found)
    assert all(after.first_at >= before.first_at + BLOCK_MS for before, after in pairwise(found))


async def test_blocks_are_those_of_all_messages_and_their_sums_those_of_the_chosen(
    store: TokenStore,
) -> None:
    haiku = {"2026-03-02T12:00:00+00:00": 1}
    assert await report(store, "block", model="haiku") == haiku
    await store.save_usage(event("msg_late", NOON + 12 * HOUR - 1, "s1"))
    await store.save_usage(event("msg_next", NOON + 13 * HOUR, "s1"))
    # The block of 23:59:59 reaches into the next day, where only its second message counts.
    found = await TokenMetrics(store, UTC).get_report("block", "2026-03-03..2026-03-04")
    assert [(row.label, row.sums.messages) for row in found.rows] == [
        ("2026-03-02T23:59:59+00:00", 1)
    ]


async def test_a_model_that_is_named_exactly_is_not_a_part_of_others(store: TokenStore) -> None:
    await store.save_usage(event("msg_5", NOON, "s9", model="claude-opus-4"))
    assert await report(store, "session", model="claude-opus-4") == {"s9": 1}
