"""The figures of efficiency as resources."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final

from mcp.server import MCPServer
from mcp.server.mcpserver.resources import FunctionResource

from token_tracking_server.ledger import Ledger

SCHEME: Final = "efficiency://"
_MARKDOWN: Final = "text/markdown"

Answered = Callable[[Awaitable[str]], Awaitable[str]]


def add_efficiency_resources(server: MCPServer[Any], ledger: Ledger, answered: Answered) -> None:
    """Snapshots, trends, top lists and advice. `answered` turns what goes wrong into the errors of
    resources."""

    async def snapshot(period: str) -> str:
        """Cost, savings, caching, trend, categories and what is worth a look in a period."""
        return await answered(ledger.ask(lambda about: about.efficiency.snapshot(period)))

    async def trend(period: str) -> str:
        """A period in steps, and against the period before it."""
        return await answered(ledger.ask(lambda about: about.efficiency.trend(period)))

    async def top(metric: str) -> str:
        """What is most in all prompts, by cost, tokens, efficiency or carried."""
        return await answered(ledger.ask(lambda about: about.efficiency.top(metric)))

    async def advice() -> str:
        """What to do to spend less, with the money at stake."""
        return await answered(ledger.ask(lambda about: about.efficiency.advice()))

    _add_template(server, "snapshot", "{period}", "Snapshot", snapshot)
    _add_template(server, "trends", "{period}", "Trend", trend)
    _add_template(server, "top", "{metric}", "Top list", top)
    _add(server, "snapshot/last_week", "Snapshot of 7 days", partial(snapshot, "last_week"))
    _add(server, "trends/last_month", "Trend of 30 days", partial(trend, "last_month"))
    _add(server, "top/cost", "Dearest in the prompts", partial(top, "cost"))
    _add(server, "advice", "Advice", advice, advice.__doc__)


def _add_template(
    server: MCPServer[Any],
    name: str,
    variable: str,
    title: str,
    read: Callable[..., Awaitable[str]],
) -> None:
    add = server.resource(f"{SCHEME}{name}/{variable}", name=name, title=title, mime_type=_MARKDOWN)
    add(read)


def _add(
    server: MCPServer[Any],
    path: str,
    title: str,
    read: Callable[[], Awaitable[str]],
    description: str | None = None,
) -> None:
    server.add_resource(
        FunctionResource(
            uri=f"{SCHEME}{path}",
            name=path.replace("/", "-"),
            title=title,
            description=description or f"{title}, up to now.",
            mime_type=_MARKDOWN,
            fn=read,
        )
    )
