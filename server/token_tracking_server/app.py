"""The MCP server: what it offers, over one ledger."""

import asyncio
import logging
import sys
from collections.abc import AsyncGenerator, Generator, Iterable, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from mcp import MCPError
from mcp.server import MCPServer
from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp.server.mcpserver import Context
from mcp.types import INVALID_PARAMS, GetPromptResult, InputRequiredResult
from pydantic import AnyUrl

from token_tracking import __version__
from token_tracking_server.callers import Caller, Callers
from token_tracking_server.completion import add_completion
from token_tracking_server.content.roots import Roots
from token_tracking_server.content_resources import (
    add_content_template,
    category_resources,
    is_content,
    read_content,
)
from token_tracking_server.contents import Contents
from token_tracking_server.figure_watch import FigureNews
from token_tracking_server.ledger import Ledger
from token_tracking_server.limit_resources import LimitResources
from token_tracking_server.paging import add_paged_resources
from token_tracking_server.prompts import add_prompts
from token_tracking_server.report_app import ReportApp, is_page, read_page
from token_tracking_server.resources import add_resources
from token_tracking_server.settings import Settings
from token_tracking_server.skills.extension import Skills
from token_tracking_server.skills.source import RootsSource
from token_tracking_server.skills.uris import is_skill
from token_tracking_server.subscriptions import add_subscriptions
from token_tracking_server.tools import create_tools


class Server(MCPServer[None]):
    """An `MCPServer` whose prompts say what is wrong with a request: from the SDK a client would
    get no more than "Internal server error"."""

    contents: Contents
    skills: Skills
    callers: Callers

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

    async def read_resource(
        self, uri: AnyUrl | str, context: Context[None, Any] | None = None
    ) -> Iterable[ReadResourceContents] | InputRequiredResult:
        """The SDK's templates have no fragments, and read `a/../b` as a path."""
        if is_content(str(uri)):
            caller = Caller() if context is None else self.callers.of(context)
            return await read_content(self.contents, str(uri), caller)
        if is_skill(str(uri)):
            return await self.skills.read(str(uri))
        if is_page(str(uri)):
            return read_page()
        return await super().read_resource(uri, context)


def create_server(settings: Settings, environment: Mapping[str, str] | None = None) -> Server:
    """A server over the ledger and the library of `settings`: opened by the first question, closed
    when the server ends. `environment` (the process's by default) says which session is current."""
    ledger = Ledger(settings, environment)
    contents = Contents(settings, ledger)
    callers = Callers(environment)
    skills = Skills(RootsSource(Roots(settings.library_folders())))
    report_app = ReportApp()
    limits = LimitResources(settings, environment)

    @asynccontextmanager
    async def lifespan(_: MCPServer[None]) -> AsyncGenerator[None]:
        stop = asyncio.Event()
        watching = [
            asyncio.create_task(contents.watch(subscriptions, stop)),
            asyncio.create_task(figures.tell()),
            asyncio.create_task(limits.tell()),
        ]
        try:
            yield
        finally:
            stop.set()
            for telling in watching[1:]:
                telling.cancel()
            await asyncio.gather(*watching, return_exceptions=True)
            await contents.close()
            await ledger.close()

    with _plain_logging():
        server = Server(
            "token-tracking",
            title="Token tracking",
            instructions="Exact tokens and cost of Claude Code sessions, at API prices; guides and"
            " skills to search and load.",
            version=__version__,
            tools=create_tools(ledger, contents, callers),
            lifespan=lifespan,
            log_level="WARNING",
            extensions=[skills, report_app],
            middleware=[report_app.announce, skills.announce],
        )
    server.contents = contents
    server.skills = skills
    server.callers = callers
    subscriptions = add_subscriptions(server)
    figures = FigureNews(ledger, subscriptions)
    add_resources(server, ledger)
    limits.add(server, subscriptions)
    add_content_template(server, contents)
    add_paged_resources(server, lambda: category_resources(contents))
    add_prompts(server, ledger)
    add_completion(server, ledger, contents)
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
