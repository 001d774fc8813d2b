"""A server whose library is changed by a tool. A task of its lifespan tells of the changes, as a
watcher does.

python -m tests.server.watched_server          on standard input and output
python -m tests.server.watched_server --http   over HTTP, on a port that the log tells
"""

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from mcp.server import MCPServer

from token_tracking_server.http import run_http
from token_tracking_server.stdio import run_stdio
from token_tracking_server.subscriptions import Subscriptions, add_subscriptions


def watched_server() -> tuple[MCPServer[None], Subscriptions]:
    """The server, and who subscribed to what."""
    waiting: asyncio.Queue[tuple[list[str], bool]] = asyncio.Queue()

    async def watch() -> None:
        while True:
            uris, lists_changed = await waiting.get()
            await subscriptions.changed(uris, lists_changed)

    @asynccontextmanager
    async def lifespan(_: MCPServer[None]) -> AsyncGenerator[None]:
        watching = asyncio.create_task(watch())
        try:
            yield
        finally:
            watching.cancel()

    server = MCPServer("watched", lifespan=lifespan, log_level="WARNING", subscriptions=False)
    subscriptions = add_subscriptions(server)

    @server.tool()
    async def change(uris: list[str], lists_changed: bool = False) -> str:  # pyright: ignore[reportUnusedFunction]
        """Change documents."""
        await waiting.put((uris, lists_changed))
        return "changed"

    return server, subscriptions


def main() -> None:
    """Serve until a signal or the client ends it."""
    server, _ = watched_server()
    if sys.argv[1:] == ["--http"]:
        run_http(server, "127.0.0.1", 0)
    else:
        run_stdio(server)


if __name__ == "__main__":
    main()
