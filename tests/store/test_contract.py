"""What any backend of `TokenStore` does."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from token_tracking.errors import UnknownSessionError
from token_tracking.reading import FileCursor, Reading
from token_tracking.store import TokenStore
from token_tracking.usage import ContentItem, Place, Usage, UsageEvent

NOON = 1_772_452_800_000
MODEL = "claude-opus-4-6"


def event(key: str = "msg_1", at: int = NOON, session: str = "s1", **fields: Any) -> UsageEvent:
    """A sighting: 1,000 tokens in and 10 out, of Opus 4.6."""
    given: dict[str, Any] = {
        "usage": Usage(input_tokens=1000, output_tokens=10),
        "model": MODEL,
        "source": "track",
        "stop_reason": "end_turn",
        "places": (Place(session_id=session, timestamp=at, cwd="/p"),),
        **fields,
    }
    return UsageEvent(key=key, timestamp=at, **given)


async def test_what_was_saved_is_there(store: TokenStore) -> None:
    saved = await store.save_usage(event())
    assert (saved.sums.messages, saved.sessions) == (1, 1)
    (message,) = await store.get_recent_usage()
    assert message.message_id == "msg_1"
    assert message.usage == Usage(input_tokens=1000, output_tokens=10)
    assert (message.session_id, message.project, message.model) == ("s1", "/p", MODEL)
    # 1,000 tokens at 5 USD and 10 tokens at 25 USD a million.
    assert message.cost_pico == 5_250_000_000


async def test_saving_again_changes_nothing(store: TokenStore) -> None:
    await store.save_usage(event())
    saved = await store.save_usage([event(), event()])
    assert (saved.sums.messages, saved.sums.cost_pico, saved.sessions) == (0, 0, 0)


async def test_a_larger_sighting_changes_counts_and_cost(store: TokenStore) -> None:
    await store.save_usage(event(stop_reason=None))
    saved = await store.save_usage(event(usage=Usage(input_tokens=1000, output_tokens=110)))
    assert (saved.sums.messages, saved.sums.output_tokens) == (0, 100)
    assert (saved.sums.cost_pico, saved.sums.partial_messages) == (2_500_000_000, -1)


async def test_recent_usage_is_the_newest_first_and_limited(store: TokenStore) -> None:
    await store.save_usage([event(f"msg_{n}", NOON + n) for n in range(5)])
    recent = await store.get_recent_usage(2)
    assert [message.message_id for message in recent] == ["msg_4", "msg_3"]


async def test_recent_usage_of_a_category(store: TokenStore) -> None:
    await store.save_usage([event("msg_1", category="agents"), event("msg_2")])
    (message,) = await store.get_recent_usage(10, "agents")
    assert message.message_id == "msg_1"


async def test_a_range_is_half_open(store: TokenStore) -> None:
    await store.save_usage([event(f"msg_{n}", NOON + n * 1000) for n in range(3)])
    start = datetime.fromtimestamp(NOON / 1000, UTC)
    found = await store.get_usage_in_range(start, start + timedelta(seconds=2))
    assert [message.message_id for message in found] == ["msg_0", "msg_1"]


async def test_a_session_holds_its_messages_in_order(store: TokenStore) -> None:
    await store.save_usage(
        [event("msg_2", NOON + 5), event("msg_1", NOON), event("msg_3", NOON, "s2")]
    )
    data = await store.get_session_data("s1")
    assert [message.message_id for message in data.messages] == ["msg_1", "msg_2"]
    assert (data.first_at, data.last_at, data.project) == (NOON, NOON + 5, "/p")


async def test_an_unknown_session_says_how_to_list_them(store: TokenStore) -> None:
    with pytest.raises(UnknownSessionError, match="report --by session"):
        await store.get_session_data("nobody")


async def test_a_message_without_session_is_kept(store: TokenStore) -> None:
    await store.save_usage(event(places=()))
    (message,) = await store.get_recent_usage()
    assert message.session_id == ""


async def test_sessions_are_found_by_the_beginning_of_their_id(store: TokenStore) -> None:
    await store.save_usage([event("msg_1", NOON, "ab_c"), event("msg_2", NOON + 9, "abxd")])
    assert await store.session_ids("ab") == ["abxd", "ab_c"]
    assert await store.session_ids("ab_") == ["ab_c"]
    assert await store.session_ids("%") == []


async def test_the_latest_session_is_that_of_the_newest_line(store: TokenStore) -> None:
    assert await store.latest_session() is None
    await store.save_usage([event("msg_1", NOON, "old"), event("msg_2", NOON + 9, "new")])
    assert await store.latest_session() == "new"
    assert await store.latest_session("/p") == "new"
    assert await store.latest_session("/elsewhere") is None


async def test_nothing_is_deleted_unless_a_retention_is_set(store: TokenStore) -> None:
    await store.save_usage(event())
    assert await store.cleanup() == 0
    assert len(await store.get_recent_usage()) == 1


async def test_what_is_older_than_the_retention_is_deleted(store: TokenStore) -> None:
    now = int(datetime.now(UTC).timestamp() * 1000)
    await store.save_usage([event("msg_old", NOON), event("msg_new", now)])
    assert await store.cleanup(timedelta(days=30)) == 1
    (message,) = await store.get_recent_usage()
    assert message.message_id == "msg_new"
    totals = await store.totals("session")
    assert [sums.messages for _, _, sums in totals] == [1]
    await store.save_usage(event("msg_old", NOON))
    assert len(await store.get_recent_usage()) == 1


async def test_totals_are_kept_by_quarters_of_an_hour(store: TokenStore) -> None:
    quarter = 900_000
    await store.save_usage([event("msg_1", NOON), event("msg_2", NOON + quarter)])
    cells = await store.totals("quarter")
    assert sorted((cell[0], cell[2].messages) for cell in cells) == [
        (NOON // quarter, 1),
        (NOON // quarter + 1, 1),
    ]
    (within,) = await store.totals("project", start=NOON, end=NOON + quarter)
    assert within[2].messages == 1


async def test_a_price_that_changed_is_applied_to_all(
    store: TokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.save_usage([event(), event("msg_2", model="nobody-knows")])
    assert await store.reprice() == 0
    real = store.prices.cost

    def cost(usage: Usage, model: str, at_ms: int, **terms: Any) -> Any:
        return real(usage, MODEL, at_ms, **terms)

    monkeypatch.setattr(store.prices, "cost", cost)
    assert await store.reprice() == 1
    (cell,) = [cell for cell in await store.totals("session") if cell[1] == "nobody-knows"]
    assert (cell[2].unpriced_messages, cell[2].cost_pico) == (0, 5_250_000_000)


@pytest.mark.parametrize(
    "keys", [("s1/gen-1/req_1", "s2/gen-1/req_1"), ("gen-1", "msg_1"), ("msg_2", "msg_1")]
)
async def test_a_tool_call_that_moves_to_another_message_counts_once(
    store: TokenStore, keys: tuple[str, str]
) -> None:
    """A gateway's id is scoped by session, and it may give one id to two calls."""
    for number, (key, session) in enumerate(zip(keys, ("s1", "s2"), strict=True)):
        call = ContentItem(key="toolu_1", kind="tool", name="Bash", message=key)
        reading = Reading(
            cursor=FileCursor(
                path=f"/{number}",
                inode=1,
                modified_ns=1,
                size=1,
                offset=1,
                fingerprint="",
                chains="",
            ),
            events=[event(key, NOON, session)],
            items=[call],
            sessions=[],
            client_totals=[],
        )
        saved = await store.save_readings([reading])
        assert saved.sums.tool_uses == 1 - number
    assert sum(cell[2].tool_uses for cell in await store.totals("session")) == 1
