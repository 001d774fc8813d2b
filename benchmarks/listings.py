"""All that a server tells a client before anything is asked of it."""

import asyncio
import json
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TextIO

from mcp import Client, MCPError, StdioServerParameters
from mcp.client.stdio import stdio_client

from benchmarks.other_servers import Server
from benchmarks.processes import ProcessFailedError

TIMEOUT_SECONDS = 60.0
Items = list[dict[str, Any]]


@dataclass(frozen=True)
class Listing:
    """A server's lists, all pages of each, and its instructions."""

    tools: Items
    resources: Items
    templates: Items
    prompts: Items
    instructions: str

    def model_tools(self) -> Items:
        """Of each tool what a client hands on to the model: name, description, input schema."""
        return [
            {
                "name": tool["name"],
                "description": tool.get("description", ""),
                "input_schema": tool["inputSchema"],
            }
            for tool in self.tools
        ]


def compact(value: object) -> str:
    """JSON without spaces."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def read_listing(server: Server) -> Listing:
    """Start a server, read its lists, and end it.

    Raises ProcessFailedError with the end of its log where it does not answer.
    """
    with tempfile.TemporaryFile("w+") as log:
        try:
            return asyncio.run(_read(server, log))
        except* (MCPError, OSError) as errors:
            log.seek(0)
            reasons = f"{errors.exceptions}\n{log.read()[-2_000:]}"
            raise ProcessFailedError(f"{server.name} does not answer: {reasons}") from None


async def _read(server: Server, log: TextIO) -> Listing:
    command, *arguments = server.command
    how = StdioServerParameters(command=command, args=arguments, env=server.environment)
    async with Client(
        stdio_client(how, log), mode="legacy", read_timeout_seconds=TIMEOUT_SECONDS
    ) as client:
        offers = client.server_capabilities
        tools = await _all(client.list_tools, "tools") if offers.tools else []
        if server.first_call and server.first_call[0] in {tool["name"] for tool in tools}:
            await client.call_tool(*server.first_call)
        resources: Items = []
        templates: Items = []
        if offers.resources:
            resources = await _all(client.list_resources, "resources")
            templates = await _all(client.list_resource_templates, "resource_templates")
        prompts = await _all(client.list_prompts, "prompts") if offers.prompts else []
        return Listing(tools, resources, templates, prompts, client.instructions or "")


async def _all(ask: Callable[..., Awaitable[Any]], field: str) -> Items:
    items: Items = []
    cursor: str | None = None
    while True:
        page = await ask(cursor=cursor)
        items += [
            each.model_dump(mode="json", by_alias=True, exclude_none=True)
            for each in getattr(page, field)
        ]
        cursor = page.next_cursor
        if cursor is None:
            return items
