"""The prompt."""

from typing import Annotated, Any, Final

from mcp import MCPError
from mcp.server import MCPServer
from mcp.types import INTERNAL_ERROR, INVALID_PARAMS
from pydantic import Field

from token_tracking.errors import TokenTrackingError, UnknownSessionError
from token_tracking_server.ledger import Ledger

_REQUEST: Final = (
    "Tell me in a few sentences what this session cost, what caching saved, and what drove the"
    " cost. Name figures as they stand below, with what makes them inexact. Suggest how to spend"
    " less only where they support it.\n\n"
)


def add_prompts(server: MCPServer[Any], ledger: Ledger) -> None:
    """The prompt over a ledger. The figures stand in it: it needs no tool."""

    @server.prompt(name="session_report", title="Session report")
    async def session_report(  # pyright: ignore[reportUnusedFunction]
        session_id: Annotated[
            str | None, Field(description="An id or its beginning; the current session if left out")
        ] = None,
    ) -> str:
        """What a session cost, what caching saved, and what drove the cost."""
        wanted = session_id or "current"
        try:
            return _REQUEST + await ledger.ask(lambda about: about.session(wanted))
        except UnknownSessionError as error:
            raise MCPError(INVALID_PARAMS, str(error)) from error
        except TokenTrackingError as error:
            raise MCPError(INTERNAL_ERROR, str(error)) from error
