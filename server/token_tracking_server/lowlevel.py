"""The SDK's low-level server behind an `MCPServer`: where handlers that `MCPServer` has no name for
are registered."""

from typing import Any

from mcp.server import MCPServer
from mcp.server.lowlevel import Server


def lowlevel(server: MCPServer[Any]) -> Server[Any]:
    """It is private in mcp 2.3, and a test fails when that changes."""
    return server._lowlevel_server  # pyright: ignore[reportPrivateUsage]
