"""Completion of session ids, periods and metrics, and of the library's categories and ids."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote

from mcp import MCPError
from mcp.server import MCPServer
from mcp.types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    Completion,
    CompletionArgument,
    CompletionContext,
    PromptReference,
    ResourceTemplateReference,
)

from token_tracking.errors import TokenTrackingError
from token_tracking.shares import METRICS
from token_tracking_server.content.uris import encoded
from token_tracking_server.contents import Contents
from token_tracking_server.ledger import Ledger

_MOST: Final = 100
"""The protocol allows no more values."""

_VARIABLES: Final = re.compile(r"\{\W?(\w+)")


def add_completion(server: MCPServer[Any], ledger: Ledger, contents: Contents) -> None:
    """Completion for the variables of all templates, and the arguments of the prompts. None for
    those of others."""

    async def found_for(
        name: str, beginning: str, given: Mapping[str, str] | None
    ) -> list[str] | None:
        if name == "session_id":
            return await ledger.ask(lambda about: about.session_ids(beginning, _MOST + 1))
        if name in {"period", "metric"}:
            known = _periods() if name == "period" else METRICS
            return [each for each in known if each.startswith(beginning)]
        # Values are put into the template as they are: they have to be parts of a URI.
        start = unquote(beginning).encode(errors="replace").decode()
        if name == "category":
            names = await contents.ask(
                lambda content: content.library.ask(lambda catalog: catalog.names(start))
            )
            return [encoded(each) for each in names]
        if name == "id" and given and "category" in given:
            category = unquote(given["category"]).encode(errors="replace").decode()
            ids = await contents.ask(
                lambda content: content.library.ask(
                    lambda catalog: catalog.ids(category, start, _MOST + 1)
                )
            )
            return [encoded(each, "/") for each in ids]
        return None

    @server.completion()
    async def complete(  # pyright: ignore[reportUnusedFunction]
        ref: PromptReference | ResourceTemplateReference,
        argument: CompletionArgument,
        context: CompletionContext | None,
    ) -> Completion | None:
        given = context.arguments if context is not None else None
        if not await _has(server, ref, argument.name):
            return None
        try:
            found = await found_for(argument.name, argument.value, given)
        except TokenTrackingError as error:
            raise MCPError(INTERNAL_ERROR, str(error)) from error
        if found is None:
            return None
        return Completion(values=found[:_MOST], has_more=len(found) > _MOST)


async def _has(
    server: MCPServer[Any], ref: PromptReference | ResourceTemplateReference, name: str
) -> bool:
    """Whether a prompt has such an argument, or a template such a variable."""
    if isinstance(ref, ResourceTemplateReference):
        known = [each.uri_template for each in await server.list_resource_templates()]
        return ref.uri in known and name in _VARIABLES.findall(ref.uri)
    prompts = {each.name: each.arguments or [] for each in await server.list_prompts()}
    if ref.name not in prompts:
        raise MCPError(INVALID_PARAMS, f"Unknown prompt: {ref.name}. Known: {', '.join(prompts)}.")
    return any(each.name == name for each in prompts[ref.name])


def _periods() -> Sequence[str]:
    from token_tracking.metrics.periods import NAMED_PERIODS  # noqa: PLC0415 (start-up)

    return [*NAMED_PERIODS, "all", "today", "7d", "30d"]
