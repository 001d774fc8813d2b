"""The prompts."""

from collections.abc import Awaitable
from typing import Annotated, Any, Final

from mcp import MCPError
from mcp.server import MCPServer
from mcp.types import INTERNAL_ERROR, INVALID_PARAMS
from pydantic import Field

from token_tracking.errors import InvalidPeriodError, TokenTrackingError, UnknownSessionError
from token_tracking_server.ledger import Ledger

_REQUEST: Final = (
    "Tell me in a few sentences what this session cost, what caching saved, and what drove the"
    " cost. Name figures as they stand below, with what makes them inexact. Suggest how to spend"
    " less only where they support it.\n\n"
)


_FIND: Final = (
    "Find where I can spend less on tokens, by the figures below. Name at most three changes, the"
    " most money first: what it is, what it cost in this period, and exactly what to do. Only what"
    " the figures support: say which are estimated, leave out what is chance or under a tenth of a"
    " dollar, and do not add up findings, as they overlap. If nothing is worth a change, say so."
    " For more: efficiency_report (view=top, by=mcp-server, tool, skill, path or item) and"
    " session_report (view=items).\n\n"
)


def add_prompts(server: MCPServer[Any], ledger: Ledger) -> None:
    """The prompts over a ledger. The figures stand in them: they need no tool."""

    @server.prompt(name="session_report", title="Session report")
    async def session_report(  # pyright: ignore[reportUnusedFunction]
        session_id: Annotated[
            str | None, Field(description="An id or its beginning; the current session if left out")
        ] = None,
    ) -> str:
        """What a session cost, what caching saved, and what drove the cost."""
        wanted = session_id or "current"
        return _REQUEST + await _figures(ledger.ask(lambda about: about.session(wanted)))

    @server.prompt(name="find_savings", title="Find savings")
    async def find_savings(  # pyright: ignore[reportUnusedFunction]
        period: Annotated[
            str | None,
            Field(description="today, 7d, last_month, FROM..TO, ...; last_month if left out"),
        ] = None,
    ) -> str:
        """What to change to spend less, with the figures that show it."""
        wanted = period or "last_month"
        return _FIND + await _figures(ledger.ask(lambda about: about.efficiency.savings(wanted)))


async def _figures(asked: Awaitable[str]) -> str:
    try:
        return await asked
    except (UnknownSessionError, InvalidPeriodError) as error:
        raise MCPError(INVALID_PARAMS, str(error)) from error
    except TokenTrackingError as error:
        raise MCPError(INTERNAL_ERROR, str(error)) from error
