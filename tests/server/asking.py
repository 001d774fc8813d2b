"""Questions to a server, and answers as text."""

from typing import Any

import pytest
from mcp import Client, MCPError
from mcp.types import GetPromptResult, TextContent, TextResourceContents


async def call(client: Client, tool: str, **arguments: Any) -> str:
    """What a tool answers. It must not be an error."""
    result = await client.call_tool(tool, arguments)
    (content,) = result.content
    assert isinstance(content, TextContent)
    assert not result.is_error, content.text
    assert result.structured_content is None
    return content.text


async def refused(client: Client, tool: str, **arguments: Any) -> str:
    """What a tool says of an error."""
    result = await client.call_tool(tool, arguments)
    (content,) = result.content
    assert isinstance(content, TextContent)
    assert result.is_error, content.text
    return content.text


async def read(client: Client, uri: str) -> str:
    """A resource's Markdown."""
    (content,) = (await client.read_resource(uri)).contents
    assert isinstance(content, TextResourceContents)
    assert content.mime_type == "text/markdown"
    return content.text


async def unreadable(client: Client, uri: str) -> MCPError:
    """The error of a resource."""
    with pytest.raises(MCPError) as caught:
        await client.read_resource(uri)
    return caught.value


async def prompt(client: Client, name: str = "session_report", **arguments: str) -> str:
    """A prompt's text."""
    result = await client.get_prompt(name, arguments)
    assert isinstance(result, GetPromptResult)
    (message,) = result.messages
    assert isinstance(message.content, TextContent)
    return message.content.text
