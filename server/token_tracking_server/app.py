"""The MCP server: what it offers, over one ledger."""

import logging
import sys
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from mcp import MCPError
from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.types import INVALID_PARAMS, GetPromptResult, InputRequiredResult

from token_tracking import __version__
from token_tracking_server.completion import add_completion
from token_tracking_server.ledger import Ledger
from token_tracking_server.prompts import add_prompts
from token_tracking_server.resources import add_resources
from token_tracking_server.settings import Settings
from token_tracking_server.tools import create_tools


class Server(MCPServer[None]):
    """An `MCPServer` whose prompts say what is wrong with a request: from the SDK a client would
    get no more than "Internal server error"."""

    async def get_prompt(
        self,
        name: str,
        arguments: dict[str, Any] | None = None,
        context: Context[None, Any] | None = None,
    ) -> GetPromptResult | InputRequiredResult:
        known = {each.name: each.arguments or [] for each in await self.list_prompts()}
        if name not in known:
            raise MCPError(INVALID_PARAMS, f"Unknown prompt: {name}. Known: {', '.join(known)}.")
        names = [argument.name for argument in known[name]]
        if unknown := sorted(set(arguments or ()).difference(names)):
            raise MCPError(
                INVALID_PARAMS,
                f"{name}: unknown argument {', '.join(unknown)}. Known: {', '.join(names)}.",
            )
        return await super().get_prompt(name, arguments, context)


def create_server(settings: Settings, environment: Mapping[str, str] | None = None) -> Server:
    """A server over the ledger of `settings`: opened by the first question, closed when the
    server ends. `environment` (the process's by default) says which session is current."""
    ledger = Ledger(settings, environment)

    @asynccontextmanager
    async def lifespan(_: MCPServer[None]) -> AsyncGenerator[None]:
        try:
            yield
        finally:
            await ledger.close()

    with _plain_logging():
        server = Server(
            "token-tracking",
            title="Token tracking",
            instructions="Exact tokens and cost of Claude Code sessions, at API prices.",
            version=__version__,
            tools=create_tools(ledger),
            lifespan=lifespan,
            log_level="WARNING",
            # Nothing here changes while it runs: promise no notifications.
            subscriptions=False,
        )
    add_resources(server, ledger)
    add_prompts(server, ledger)
    add_completion(server, ledger)
    return server


@contextmanager
def _plain_logging() -> Generator[None]:
    """`MCPServer` imports rich for its log if it can: 46 ms of start-up, for tracebacks a page
    long in a client's log. A `None` in `sys.modules` makes that import fail, as it allows for."""
    logging.basicConfig(level="WARNING", format="%(levelname)s %(name)s: %(message)s")
    hidden = "rich" not in sys.modules
    if hidden:
        sys.modules["rich"] = None  # pyright: ignore[reportArgumentType]
    try:
        yield
    finally:
        if hidden:
            del sys.modules["rich"]
