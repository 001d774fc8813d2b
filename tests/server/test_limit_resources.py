"""The gateway's quotas as a resource."""

import asyncio
from pathlib import Path

import pytest
from mcp import Client
from mcp.types import ResourceUpdatedNotification

from tests.server.asking import read
from tests.server.test_subscriptions import Heard, subscribe
from token_tracking.limits import Quota, Quotas, Spender
from token_tracking_server.app import create_server
from token_tracking_server.settings import Settings

URI = "limits://quotas"
DAY = Quota(subject="user", period="day", tokens=1000)


class News(Heard):
    """What a client is told of resources."""

    async def __call__(self, message: object) -> None:
        if isinstance(message, ResourceUpdatedNotification):
            await super().__call__(message)


async def spend(quotas: Quotas, tokens: int) -> None:
    await (await quotas.reserve(Spender(user="anna|`b"), tokens=0, usd=None)).settle(tokens, None)


async def test_it_shows_what_is_used_and_what_was_alerted(tmp_path: Path) -> None:
    server = create_server(Settings(database=str(tmp_path / "ledger.db"), timezone="UTC"))
    async with Client(server) as client:
        assert "No quotas are set" in await read(client, URI)
        async with await Quotas.open(tmp_path / "limits.db", [DAY]) as quotas:
            await spend(quotas, 800)
        text = await read(client, URI)
    assert "| user `anna¦'b`, day | hard | 800 | 0 | 1,000 | 80% |" in text
    assert "80% of the quota of 1,000 tokens per day passed" in text


async def test_subscribers_hear_of_what_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("token_tracking_server.limit_resources.LOOK_SECONDS", 0.01)
    server = create_server(Settings(database=str(tmp_path / "ledger.db")))
    heard = News()
    async with (
        await Quotas.open(tmp_path / "limits.db", [DAY]) as quotas,
        Client(server, mode="legacy", message_handler=heard) as client,
    ):
        await spend(quotas, 100)
        await subscribe(client, URI)
        held = await quotas.reserve(Spender(user="anna"), tokens=5, usd=None)
        for _ in range(2):
            await spend(quotas, 100)
            assert await asyncio.wait_for(heard.next(1), 10) == [URI]
        await held.refund()
