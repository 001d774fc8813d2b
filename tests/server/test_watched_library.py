"""Clients hear of what changes in the folders of the library, on the real program."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from mcp import Client, StdioServerParameters, stdio_client

from tests.content.libraries import CACHING, write
from tests.server.asking import call
from tests.server.processes import SERVE, server_environment
from tests.server.test_subscriptions import LIST, Heard, events, subscribe
from token_tracking_server.settings import Settings

URI = "content://guides/caching"


@pytest.fixture
def library(tmp_path: Path) -> Path:
    root = tmp_path / "library"
    write(root, "guides/caching.md", CACHING)
    return root


@pytest.fixture
def parameters(settings: Settings, library: Path) -> StdioServerParameters:
    environment = server_environment(settings, TOKEN_TRACKING_LIBRARY=str(library))
    return StdioServerParameters(command=SERVE[0], args=SERVE[1:], env=environment)


async def keep_changing(library: Path, path: str, told: Callable[[], Awaitable[list[str]]]) -> str:
    """Change a document until somebody is told: it takes a moment until the system watches."""
    waiting = asyncio.ensure_future(told())
    number = 0
    async with asyncio.timeout(30):
        while not waiting.done():
            number += 1
            write(library, path, f"# Changed {number}\n")
            await asyncio.wait({waiting}, timeout=0.2)
    return (await waiting)[0]


@pytest.mark.slow
async def test_a_client_of_2025_hears_of_a_changed_document_and_a_new_category(
    parameters: StdioServerParameters, library: Path
) -> None:
    heard = Heard()
    async with Client(stdio_client(parameters), mode="legacy", message_handler=heard) as client:
        await call(client, "search_content", query="cache")
        while not (await client.list_resources()).resources[2:]:
            pass
        await subscribe(client, URI)
        told = ""
        while told != URI:  # the first index was a change of the list
            told = await keep_changing(library, "guides/caching.md", lambda: heard.next(1))
        write(library, "agents/reviewer.md", "# Reviewer\n")
        async with asyncio.timeout(30):
            while told != LIST:
                (told,) = await heard.next(1)
        assert "content://agents" in [e.uri for e in (await client.list_resources()).resources]


@pytest.mark.slow
async def test_a_client_of_2026_hears_of_a_changed_document_and_a_new_category(
    parameters: StdioServerParameters, library: Path
) -> None:
    async with Client(stdio_client(parameters)) as client:
        await call(client, "search_content", query="cache")
        async with client.listen(
            resources_list_changed=True, resource_subscriptions=[URI]
        ) as stream:
            told = await keep_changing(library, "guides/caching.md", lambda: events(stream, 1))
            assert told == URI
            write(library, "agents/reviewer.md", "# Reviewer\n")
            async with asyncio.timeout(30):
                while told != LIST:
                    (told,) = await events(stream, 1)
        assert "content://agents" in [e.uri for e in (await client.list_resources()).resources]
