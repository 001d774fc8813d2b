"""A server over a ledger and a Claude folder of the test's own."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from mcp import Client

from token_tracking_server.app import Server, create_server
from token_tracking_server.settings import Settings


@pytest.fixture
def settings(tmp_path: Path, claude: Path) -> Settings:
    """An empty ledger, and days in UTC."""
    (claude / "projects").mkdir(parents=True)
    return Settings(database=str(tmp_path / "ledger.db"), claude_dirs=(claude,), timezone="UTC")


@pytest.fixture
def environment() -> dict[str, str]:
    """The server's environment. A test may change it."""
    return {}


@pytest.fixture
def server(settings: Settings, environment: dict[str, str]) -> Server:
    """The server, in this process."""
    return create_server(settings, environment)


@pytest.fixture
async def client(server: Server) -> AsyncIterator[Client]:
    """The official client, connected to it."""
    ready: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
    done = asyncio.Event()

    # A fixture's end runs in another task than its beginning, which the client does not allow.
    async def live() -> None:
        async with Client(server) as connected:
            ready.set_result(connected)
            await done.wait()

    living = asyncio.create_task(live())
    await asyncio.wait([living, ready], return_when=asyncio.FIRST_COMPLETED)
    assert ready.done(), living.result()
    yield ready.result()
    done.set()
    await living
