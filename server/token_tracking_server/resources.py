"""The resources."""

from collections.abc import Awaitable
from typing import Any, Final

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError

from token_tracking.errors import (
    InvalidPeriodError,
    TokenTrackingError,
    UnknownMetricError,
    UnknownSessionError,
)
from token_tracking_server.efficiency_resources import add_efficiency_resources
from token_tracking_server.ledger import Ledger

_MARKDOWN: Final = "text/markdown"


def add_resources(server: MCPServer[Any], ledger: Ledger) -> None:
    """The resources over a ledger."""

    @server.resource("efficiency://summary", name="summary", title="Summary", mime_type=_MARKDOWN)
    async def summary() -> str:  # pyright: ignore[reportUnusedFunction]
        """Cost, cache savings and tokens: today, 7 days, 30 days, all time, and by model."""
        return await _answer(ledger.ask(lambda about: about.summary()))

    @server.resource(
        "efficiency://sessions", name="sessions", title="Sessions", mime_type=_MARKDOWN
    )
    async def sessions() -> str:  # pyright: ignore[reportUnusedFunction]
        """Every session with its cost, the newest first."""
        return await _answer(ledger.ask(lambda about: about.sessions()))

    @server.resource(
        "efficiency://session/{session_id}",
        name="session",
        title="Session report",
        mime_type=_MARKDOWN,
    )
    async def session(session_id: str) -> str:  # pyright: ignore[reportUnusedFunction]
        """What one session cost, by its id, its beginning, current or latest."""
        return await _answer(ledger.ask(lambda about: about.session(session_id)))

    add_efficiency_resources(server, ledger, _answer)


async def _answer(asked: Awaitable[str]) -> str:
    try:
        return await asked
    except (UnknownSessionError, InvalidPeriodError, UnknownMetricError) as error:
        raise ResourceNotFoundError(str(error)) from error
    except TokenTrackingError as error:
        raise ResourceError(str(error)) from error
