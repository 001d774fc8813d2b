"""Changes of resources, told to the clients that asked for them.

Clients of the 2025 revisions subscribe resource by resource, and hear of changed lists without
asking. Those of 2026-07-28 open a stream with `subscriptions/listen` and name what they want on
it. Both are served on standard input and output, and over HTTP.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from contextlib import suppress
from typing import Any, Final
from urllib.parse import unquote

from mcp import MCPError
from mcp.server import MCPServer, ServerRequestContext
from mcp.server.connection import Connection
from mcp.server.lowlevel import NotificationOptions, Server
from mcp.server.subscriptions import (
    InMemorySubscriptionBus,
    ListenHandler,
    ResourcesListChanged,
    ResourceUpdated,
)
from mcp.types import (
    INVALID_PARAMS,
    EmptyResult,
    NotificationParams,
    ServerCapabilities,
    SubscribeRequestParams,
    SubscriptionsListenRequestParams,
    SubscriptionsListenResult,
    UnsubscribeRequestParams,
)
from mcp.types.version import MODERN_PROTOCOL_VERSIONS

from token_tracking_server.lowlevel import lowlevel
from token_tracking_server.skills.uris import SCHEME, is_skill

MOST: Final = 1_000
"""Resources that one client subscribes to, or one stream names."""

_LONGEST: Final = 4_096
"""Characters of a URI."""

_PATIENCE_SECONDS: Final = 10.0
"""How long a client may leave a notification unread before the rest of this change is dropped."""

_CONTENT: Final = "content://"


class Subscriptions:
    """Who wants to hear of what. Nothing is kept of a client that is gone."""

    def __init__(self) -> None:
        self._bus = InMemorySubscriptionBus()
        self._stream = ListenHandler(self._bus)
        self._listened: Counter[str] = Counter()
        self._clients: dict[Connection, set[str]] = {}
        self._asked = asyncio.Event()
        self._before: list[Callable[[Collection[str]], Awaitable[None]]] = []

    async def changed(self, uris: Collection[str], lists_changed: bool = False) -> None:
        """Tell who asked that resources changed: themselves, a section of them (`uri#section`), or
        the folder that they stand in (`content://category`, any folder of a skill). With
        `lists_changed`, also tell that the list of resources is another. Never raises for a client
        that is slow or gone; for use from a task of the server's lifespan."""
        touched = _Touched(uris)
        if lists_changed:
            await self._bus.publish(ResourcesListChanged())
        for uri in [each for each in self._listened if each in touched]:
            await self._bus.publish(ResourceUpdated(uri))
        await asyncio.gather(
            *(
                _tell(client, sorted(uri for uri in wanted if uri in touched), lists_changed)
                for client, wanted in self._clients.items()
            )
        )

    @property
    def clients(self) -> int:
        """Clients of the 2025 revisions that are connected."""
        return len(self._clients)

    @property
    def wanted(self) -> frozenset[str]:
        """The URIs that somebody subscribed to."""
        return frozenset(self._listened).union(*self._clients.values())

    def before_subscribing(self, prepare: Callable[[Collection[str]], Awaitable[None]]) -> None:
        """Have something done with the URIs of each subscription, before it is answered."""
        self._before.append(prepare)

    async def wanted_of(self, scheme: str) -> frozenset[str]:
        """The URIs beginning with `scheme` that somebody subscribed to: waits until there are."""
        while True:
            self._asked.clear()
            found = frozenset(uri for uri in self.wanted if uri.startswith(scheme))
            if found:
                return found
            await self._asked.wait()

    async def next(self, seconds: float) -> None:
        """Wait for a subscription that came after `wanted_of`, at most so long."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._asked.wait(), seconds)

    def serve(self, server: Server[Any]) -> None:
        """Register on a server, and let its capabilities say so."""
        add = server.add_request_handler
        add("resources/subscribe", SubscribeRequestParams, self._subscribe)
        add("resources/unsubscribe", UnsubscribeRequestParams, self._unsubscribe)
        add("subscriptions/listen", SubscriptionsListenRequestParams, self._listen)
        server.add_notification_handler(
            "notifications/initialized", NotificationParams, self._initialized
        )
        server.get_capabilities = _only_resources_change(server)

    async def _initialized(
        self, context: ServerRequestContext[Any, Any], _: NotificationParams
    ) -> None:
        if context.protocol_version not in MODERN_PROTOCOL_VERSIONS:
            self._of(context)

    async def _subscribe(
        self, context: ServerRequestContext[Any, Any], params: SubscribeRequestParams
    ) -> EmptyResult:
        wanted = self._of(context)
        _require_few({*wanted, params.uri})
        await self._prepare({params.uri})
        wanted.add(params.uri)
        self._asked.set()
        return EmptyResult()

    async def _unsubscribe(
        self, context: ServerRequestContext[Any, Any], params: UnsubscribeRequestParams
    ) -> EmptyResult:
        self._of(context).discard(params.uri)
        return EmptyResult()

    async def _listen(
        self, context: ServerRequestContext[Any, Any], params: SubscriptionsListenRequestParams
    ) -> SubscriptionsListenResult:
        wanted = set(params.notifications.resource_subscriptions or ())
        _require_few(wanted)
        # The tools and prompts never change: the acknowledgement must not promise to tell.
        kept = {"tools_list_changed": None, "prompts_list_changed": None}
        filtered = params.notifications.model_copy(update=kept)
        await self._prepare(wanted)
        self._listened.update(wanted)
        self._asked.set()
        try:
            return await self._stream(
                context, params.model_copy(update={"notifications": filtered})
            )
        finally:
            for uri in wanted:
                self._listened[uri] -= 1
                if not self._listened[uri]:
                    del self._listened[uri]

    async def _prepare(self, uris: Collection[str]) -> None:
        for prepare in self._before:
            await prepare(uris)

    def _of(self, context: ServerRequestContext[Any, Any]) -> set[str]:
        """What a client subscribed to; forgotten when it is gone."""
        client = context.session._connection  # pyright: ignore[reportPrivateUsage]
        if client not in self._clients:
            self._clients[client] = set()
            client.exit_stack.callback(self._clients.pop, client, None)
        return self._clients[client]


def add_subscriptions(server: MCPServer[Any]) -> Subscriptions:
    """Let a server's clients subscribe to its resources."""
    subscriptions = Subscriptions()
    subscriptions.serve(lowlevel(server))
    return subscriptions


class _Touched:
    """Whether a URI that somebody subscribed to names something that changed."""

    def __init__(self, uris: Iterable[str]) -> None:
        self._documents = {_plain(uri) for uri in uris}
        self._folders = {folder for uri in self._documents for folder in _folders(uri)}

    def __contains__(self, uri: str) -> bool:
        named = uri.partition("#")[0]
        document = _plain(named)
        if document in self._documents:
            return True
        # Of content only a category is a folder: a document may be named as one below it.
        is_folder = is_skill(named) or "/" not in document.removeprefix(_CONTENT)
        return is_folder and document in self._folders


def _plain(uri: str) -> str:
    """A URI for comparing: `%20` is a space, `.md` and a last slash are no part of it, and a file
    of a skill is the document that it is in the library."""
    plain = unquote(uri).rstrip("/")
    if is_skill(plain):
        plain = _CONTENT + plain.removeprefix(SCHEME)
    is_content = plain.startswith(_CONTENT)
    return plain[:-3] if is_content and plain.lower().endswith(".md") else plain


def _folders(uri: str) -> list[str]:
    scheme, separator, path = uri.partition("://")
    parts = path.split("/")
    return [scheme + separator + "/".join(parts[:number]) for number in range(1, len(parts))]


def _require_few(uris: Collection[str]) -> None:
    if len(uris) > MOST:
        raise MCPError(
            INVALID_PARAMS,
            f"{MOST:,} resources are the most that a client can subscribe to. Subscribe to a"
            " category (content://CATEGORY) to hear of all that is in it.",
        )
    if any(len(uri) > _LONGEST for uri in uris):
        raise MCPError(INVALID_PARAMS, f"A URI has at most {_LONGEST:,} characters here.")


async def _tell(client: Connection, uris: Iterable[str], lists_changed: bool) -> None:
    told: list[tuple[str, Mapping[str, Any] | None]] = [
        ("notifications/resources/updated", {"uri": uri}) for uri in uris
    ]
    if lists_changed:
        told.insert(0, ("notifications/resources/list_changed", None))
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            for method, params in told:
                await client.notify(method, params)
    except TimeoutError:
        return


def _only_resources_change(server: Server[Any]) -> Any:
    """Capabilities that promise what is kept: of the SDK's own, a client of 2026-07-28 expects news
    of tools and prompts too, and one of 2025 none of resources."""
    derived = server.get_capabilities

    def get_capabilities(
        notification_options: NotificationOptions | None = None, *others: Any, **more: Any
    ) -> ServerCapabilities:
        found = derived(notification_options, *others, **more)
        promised = {"resources": True, "tools": False, "prompts": False}
        kept = {
            name: capability.model_copy(update={"list_changed": changes})
            for name, changes in promised.items()
            if (capability := getattr(found, name)) is not None
        }
        return found.model_copy(update=kept)

    return get_capabilities
