"""The smallest server with a tool that gives a file: what a load is compared with."""

from pathlib import Path

from mcp.server import MCPServer

server = MCPServer("smallest")


@server.tool(structured_output=False)
def load(path: str) -> str:
    """A file's text."""
    return Path(path).read_text("utf-8")


server.run()
