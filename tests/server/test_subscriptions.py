"""Subscriptions of clients of both generations, on every transport."""

import asyncio
import gc
import sys
import weakref
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Literal

import pytest
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.session import IncomingMessage
from mcp.client.subscriptions import ResourcesListChanged, ResourceUpdated, Subscription
from mcp.server import MCPServer
from mcp.server.connection import Connection
from mcp.types import (
    INVALID_PARAMS,
    EmptyResult,
    ResourceListChangedNotification,
    ResourceUpdatedNotification,
    SubscribeRequest,
    SubscribeRequestParams,
    UnsubscribeRequest,
    UnsubscribeRequestParams,
)

from tests.server.processes import started
from tests.server.test_http import port_of
from tests.server.watched_server import watched_server
from token_tracking_server.subscriptions import MOST, add_subscriptions

SERVE = [sys.executable, "-m", "tests.server.watched_server"]
Transport = Literal["memory", "stdio", "http"]
every_transport = pytest.mark.parametrize("transport", ["memory", "stdio", "http"])

GUIDE = "content://guides/caching"
OTHER = "content://agents/reviewer"
LIST = "list"


class Heard:
    """What a client of the 2025 revisions is told."""

    def __init__(self) -> None:
        self._told: asyncio.Queue[str] = asyncio.Queue()

    async def __call__(self, message: IncomingMessage) -> None:
        if isinstance(message, ResourceUpdatedNotification):
            await self._told.put(message.params.uri)
        elif isinstance(message, ResourceListChangedNotification):
            await self._told.put(LIST)

    async def next(self, count: int) -> list[str]:
        """The next notifications."""
        return [await self._told.get() for _ in range(count)]


async def subscribe(client: Client, *uris: str) -> None:
    for uri in uris:
        request = SubscribeRequest(params=SubscribeRequestParams(uri=uri))
        await client.session.send_request(request, EmptyResult)


async def unsubscribe(client: Client, uri: str) -> None:
    request = UnsubscribeRequest(params=UnsubscribeRequestParams(uri=uri))
    await client.session.send_request(request, EmptyResult)


async def change(client: Client, *uris: str, lists_changed: bool = False) -> None:
    result = await client.call_tool("change", {"uris": uris, "lists_changed": lists_changed})
    assert not result.is_error, result


async def events(subscription: Subscription, count: int) -> list[str]:
    """The next events of a stream."""
    told: list[str] = []
    while len(told) < count:
        event = await anext(subscription)
        if isinstance(event, ResourceUpdated):
            told.append(event.uri)
        else:
            assert isinstance(event, ResourcesListChanged)
            told.append(LIST)
    return told


@asynccontextmanager
async def place_of(transport: Transport) -> AsyncGenerator[Any]:
    """What a client connects to."""
    if transport == "memory":
        yield watched_server()[0]
    elif transport == "stdio":
        yield StdioServerParameters(command=SERVE[0], args=SERVE[1:])
    else:
        with started({}, [*SERVE, "--http"]) as process:
            yield f"http://127.0.0.1:{port_of(process)}/mcp"


@every_transport
async def test_a_client_of_2025_hears_of_what_it_subscribed_to(transport: Transport) -> None:
    heard = Heard()
    async with (
        place_of(transport) as place,
        Client(place, mode="legacy", message_handler=heard) as client,
    ):
        resources = client.server_capabilities.resources
        assert resources
        assert (resources.subscribe, resources.list_changed) == (True, True)
        await subscribe(client, GUIDE, f"{GUIDE}#break-even", "content://agents")
        await change(client, GUIDE, "content://guides/caching-more", OTHER, lists_changed=True)
        assert await heard.next(4) == [LIST, "content://agents", GUIDE, f"{GUIDE}#break-even"]

        await unsubscribe(client, GUIDE)
        await unsubscribe(client, "content://never")
        await change(client, GUIDE)
        await change(client, OTHER)
        assert await heard.next(2) == [f"{GUIDE}#break-even", "content://agents"]


@every_transport
async def test_a_client_of_2026_hears_of_what_it_named(transport: Transport) -> None:
    async with place_of(transport) as place, Client(place) as client:
        assert client.protocol_version == "2026-07-28"
        resources = client.server_capabilities.resources
        assert resources
        assert (resources.subscribe, resources.list_changed) == (True, True)
        wanted = [GUIDE, f"{GUIDE}#break-even", "content://agents"]
        async with client.listen(
            resources_list_changed=True, resource_subscriptions=wanted
        ) as both:
            assert both.honored.resource_subscriptions == wanted
            await change(client, GUIDE, "content://guides/caching-more", OTHER, lists_changed=True)
            first, *rest = await events(both, 4)
            assert first == LIST
            assert sorted(rest) == sorted(wanted)
        async with client.listen(resource_subscriptions=[OTHER]) as only_one:
            await change(client, GUIDE, lists_changed=True)
            await change(client, OTHER)
            assert await events(only_one, 1) == [OTHER]


async def test_news_of_tools_and_prompts_is_promised_to_nobody() -> None:
    server, _ = watched_server()
    for mode in ("legacy", "auto"):
        async with Client(server, mode=mode) as client:
            assert client.server_capabilities.tools
            assert client.server_capabilities.tools.list_changed is False
            assert client.server_capabilities.prompts
            assert client.server_capabilities.prompts.list_changed is False
            if mode == "auto":
                async with client.listen(
                    tools_list_changed=True, prompts_list_changed=True, resources_list_changed=True
                ) as stream:
                    assert stream.honored.model_dump(exclude_none=True) == {
                        "resources_list_changed": True
                    }


@pytest.mark.parametrize(
    ("subscribed", "changed"),
    [
        ("content://guides/a b", "content://guides/a%20b"),
        ("content://guides/a%20b#c", "content://guides/a%20b"),
        ("content://guides/caching.md", "content://guides/caching"),
        ("content://guides/", "content://guides/deep/below"),
        ("content://my%20guides", "content://my%20guides/x"),
        ("skill://acme/refunds", "skill://acme/refunds/examples/email.md"),
        ("skill://acme", "skill://acme/refunds/SKILL.md"),
        ("skill://acme/refunds/SKILL.md", "skill://acme/refunds/SKILL.md"),
        ("skill://acme/refunds/SKILL.md", "content://acme/refunds/SKILL"),
        ("skill://acme/refunds/run.py", "content://acme/refunds/run.py"),
        ("skill://acme/refunds", "content://acme/refunds/examples/email"),
        ("test://watched", "test://watched"),
    ],
)
async def test_every_name_of_a_document_and_its_folders_count(
    subscribed: str, changed: str
) -> None:
    assert await told(subscribed, changed) == [subscribed]


@pytest.mark.parametrize(
    ("subscribed", "changed"),
    [
        ("content://guide", "content://guides/caching"),
        ("content://guides/caching", "content://guides/caching/more"),
        ("content://guides/caching/more", "content://guides/caching"),
        ("content://guides/caching", "content://guides"),
        ("skill://acme/refunds/SKILL.md", "skill://acme/refunds/examples/email.md"),
        ("content://acme/refunds", "content://acme/refunds/SKILL"),
        ("skill://acme/refund", "content://acme/refunds/SKILL"),
        ("content://", "content://guides/caching"),
        ("test://watched", "test://watched/more"),
        ("", "content://guides/caching"),
    ],
)
async def test_another_document_does_not(subscribed: str, changed: str) -> None:
    assert await told(subscribed, changed) == []


async def told(subscribed: str, changed: str) -> list[str]:
    """What a subscriber is told of a change, before it is told of the next."""
    heard = Heard()
    server, subscriptions = watched_server()
    async with Client(server, mode="legacy", message_handler=heard) as client:
        await subscribe(client, subscribed, "content://end/end")
        await subscriptions.changed([changed])
        await subscriptions.changed(["content://end/end"])
        notified: list[str] = []
        while (uri := (await heard.next(1))[0]) != "content://end/end":
            notified.append(uri)
    return notified


async def test_a_client_can_subscribe_to_a_thousand_resources_and_no_more() -> None:
    server, subscriptions = watched_server()
    many = [f"content://guides/{number}" for number in range(MOST)]
    async with Client(server, mode="legacy") as old, Client(server) as new:
        with pytest.raises(MCPError, match="A URI has at most 4,096 characters") as caught:
            await subscribe(old, "x" * 5_000)
        assert caught.value.code == INVALID_PARAMS
        await subscribe(old, *many, many[0])
        with pytest.raises(MCPError, match="Subscribe to a category") as caught:
            await subscribe(old, GUIDE)
        assert caught.value.code == INVALID_PARAMS
        with pytest.raises(MCPError, match="Subscribe to a category"):
            async with new.listen(resource_subscriptions=[*many, GUIDE]):
                pass  # pragma: no cover
        assert subscriptions.wanted == set(many)


async def test_nothing_is_kept_of_clients_that_are_gone() -> None:
    server, subscriptions = watched_server()
    async with AsyncExitStack() as clients:
        for number in range(20):
            old = await clients.enter_async_context(Client(server, mode="legacy"))
            await subscribe(old, GUIDE, f"content://guides/{number}")
            new = await clients.enter_async_context(Client(server))
            stream = new.listen(resource_subscriptions=[GUIDE, f"content://agents/{number}"])
            await clients.enter_async_context(stream)
        assert subscriptions.clients == 20
        assert len(subscriptions.wanted) == 41
        connections = [weakref.ref(each) for each in gc.get_objects() if type(each) is Connection]
    assert subscriptions.clients == 0
    assert not subscriptions.wanted
    await subscriptions.changed([GUIDE], lists_changed=True)
    gc.collect()
    assert [each() for each in connections if each() is not None] == []


async def test_a_client_that_leaves_without_a_word_is_forgotten() -> None:
    """Over HTTP: the session is deleted, or its stream is dropped."""
    server, subscriptions = watched_server()
    heard = Heard()
    async with (
        served(server) as url,
        Client(url, mode="legacy", message_handler=heard) as staying,
    ):
        await subscribe(staying, GUIDE)
        async with Client(url, mode="legacy") as leaving:
            await subscribe(leaving, OTHER)
            assert subscriptions.wanted == {GUIDE, OTHER}
        async with Client(url) as leaving, leaving.listen(resource_subscriptions=[OTHER]):
            pass
        await change(staying, GUIDE)
        assert await heard.next(1) == [GUIDE]
        while len(subscriptions.wanted) > 1:  # the server ends a stream in a task of its own
            await change(staying, GUIDE)
            await heard.next(1)
        assert subscriptions.clients == 1


async def test_a_client_that_reads_nothing_holds_up_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("token_tracking_server.subscriptions._PATIENCE_SECONDS", 0.05)
    server, subscriptions = watched_server()
    heard = Heard()

    async def stuck(message: IncomingMessage) -> None:
        await asyncio.Event().wait()

    async with (
        Client(server, mode="legacy", message_handler=stuck) as silent,
        Client(server, mode="legacy", message_handler=heard) as other,
    ):
        many = [f"content://guides/{number}" for number in range(500)]
        await subscribe(silent, *many)
        await subscribe(other, many[-1])
        await subscriptions.changed(many)
        assert await heard.next(1) == [many[-1]]


@asynccontextmanager
async def served(server: MCPServer[None]) -> AsyncGenerator[str]:
    """The server over HTTP in this process."""
    import uvicorn

    from token_tracking_server.http import listen

    with listen("127.0.0.1", 0) as listening:
        app = server.streamable_http_app()
        config = uvicorn.Config(app, log_config=None, ws="none", timeout_graceful_shutdown=1)
        http = uvicorn.Server(config)
        running = asyncio.create_task(http.serve(sockets=[listening]))
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/mcp"
        finally:
            http.should_exit = True
            await running


def test_what_the_sdk_keeps_to_itself_is_where_we_look_for_it() -> None:
    """`MCPServer._lowlevel_server`, its handlers, and a session's connection."""
    server = MCPServer[Any]("x", subscriptions=False)
    add_subscriptions(server)
    low = server._lowlevel_server  # pyright: ignore[reportPrivateUsage]
    for method in ("resources/subscribe", "resources/unsubscribe", "subscriptions/listen"):
        assert low.get_request_handler(method) is not None
    assert low.create_initialization_options().capabilities.resources is not None
