"""Messages that a client records itself."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from tests.server.asking import call, refused
from token_tracking.store import TokenStore
from token_tracking_server.questions import Questions
from token_tracking_server.settings import Settings

USAGE = {"input_tokens": 1_000, "output_tokens": 100, "cache_read_input_tokens": 10_000}
MODEL = "claude-opus-4-6"


async def test_a_message_is_recorded_once(client: Client) -> None:
    given: dict[str, Any] = {"message_id": "msg_1", "usage": USAGE, "model": MODEL}
    assert await call(client, "track_usage", **given, session_id="mine") == (
        "Recorded `msg_1`: 11.0k prompt and 100 output tokens of `claude-opus-4-6`, cost $0.01"
        " at the API's prices."
    )
    assert await call(client, "track_usage", **given, session_id="mine") == (
        "`msg_1` was in the ledger; it counts once: 11.0k prompt and 100 output tokens of"
        " `claude-opus-4-6`, cost $0.01 at the API's prices."
    )
    assert "1 message ·" in await call(client, "session_report", session_id="mine")


async def test_it_counts_in_the_day_and_category_that_it_names(
    client: Client, settings: Settings
) -> None:
    await call(
        client,
        "track_usage",
        message_id="msg_1",
        usage=USAGE,
        model=MODEL,
        timestamp="2026-03-02T23:00:00-05:00",
        category="evals",
    )
    assert "| 2026-03-03 | 1 |" in await call(client, "efficiency_report")
    async with TokenStore.opened(settings.database) as store:
        (message,) = await store.get_recent_usage(category="evals")
    assert message.message_id == "msg_1"


async def test_without_a_price_it_says_so(client: Client) -> None:
    text = await call(client, "track_usage", message_id="msg_1", usage=USAGE, model="mystery-1")
    assert text.startswith(
        "Recorded `msg_1`: 11.0k prompt and 100 output tokens of `mystery-1`, cost unknown ("
    )


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"message_id": ""}, "message_id is empty"),
        ({"usage": {"input_tokens": 1}}, "usage has no output_tokens."),
        ({"usage": {"input_tokens": -1, "output_tokens": 1}}, "input_tokens is -1"),
        ({"usage": {"input_tokens": True, "output_tokens": 1}}, "input_tokens is True"),
        ({"usage": {"input_tokens": 1e300, "output_tokens": 1}}, "it must be a whole number"),
        ({"usage": 7}, "track_usage: usage: Input should be a valid dictionary"),
        ({"timestamp": "yesterday"}, "timestamp 'yesterday' is no time"),
        ({"model": None}, "track_usage: model: Input should be a valid string"),
    ],
)
async def test_what_is_wrong_is_refused_with_the_reason(
    client: Client, wrong: dict[str, Any], says: str
) -> None:
    given = {"message_id": "msg_1", "usage": USAGE, "model": MODEL, **wrong}
    assert says in await refused(client, "track_usage", **given)
    assert "The ledger" in await refused(client, "session_report", session_id="latest")


async def test_many_at_once_and_with_a_report_are_all_recorded(client: Client) -> None:
    asked = [
        call(client, "track_usage", message_id=f"msg_{n}", usage=USAGE, model=MODEL)
        for n in range(20)
    ]
    await asyncio.gather(*asked, call(client, "efficiency_report"))
    assert "for 20 messages" in await call(client, "efficiency_report")


async def test_a_message_whose_asker_left_is_recorded_nevertheless(settings: Settings) -> None:
    assert settings.database is not None
    about = await Questions.open(settings, {})
    await about.track("msg_0", USAGE, {"model": MODEL})
    with closing(sqlite3.connect(settings.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        asking = asyncio.create_task(about.track("msg_1", USAGE, {"model": MODEL}))
        await asyncio.wait({asking}, timeout=0.05)
        asking.cancel()
        await asyncio.wait({asking})
        other.execute("ROLLBACK")
    await about.close()
    async with TokenStore.opened(Path(settings.database)) as store:
        assert await store.has_message("msg_1")
