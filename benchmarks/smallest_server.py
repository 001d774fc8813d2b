"""The smallest server that the `mcp` package makes: what start-up is compared with."""

from mcp.server import MCPServer

MCPServer("smallest").run()
