"""The program: command line and MCP server."""
