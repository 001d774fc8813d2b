"""Completion of session ids."""

from typing import Any, Final

from mcp import MCPError
from mcp.server import MCPServer
from mcp.types import (
    INTERNAL_ERROR,
    Completion,
    CompletionArgument,
    CompletionContext,
    PromptReference,
    ResourceTemplateReference,
)

from token_tracking.errors import TokenTrackingError
from token_tracking_server.ledger import Ledger

_MOST: Final = 100
"""The protocol allows no more values."""


def add_completion(server: MCPServer[Any], ledger: Ledger) -> None:
    """Completion for the argument `session_id` of the resource and the prompt."""

    @server.completion()
    async def complete(  # pyright: ignore[reportUnusedFunction]
        ref: PromptReference | ResourceTemplateReference,
        argument: CompletionArgument,
        context: CompletionContext | None,
    ) -> Completion | None:
        if argument.name != "session_id":
            return None
        try:
            found = await ledger.ask(lambda about: about.session_ids(argument.value, _MOST + 1))
        except TokenTrackingError as error:
            raise MCPError(INTERNAL_ERROR, str(error)) from error
        return Completion(values=found[:_MOST], has_more=len(found) > _MOST)
