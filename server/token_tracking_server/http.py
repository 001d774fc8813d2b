"""The server on HTTP, for this machine only."""

import sys
from typing import Any

import uvicorn
from mcp.server import MCPServer
from mcp.server.transport_security import TransportSecuritySettings

from token_tracking_server.listening import QuietServer, ServingError, is_loopback, listen

__all__ = ["ServingError", "is_loopback", "listen", "run_http"]


def run_http(server: MCPServer[Any], host: str, port: int) -> None:
    """Serve `http://HOST:PORT/mcp` until a signal ends it. Port 0 takes a free one.

    Raises:
        ServingError: the host is not this machine, or the port is taken.
    """
    listening = listen(host, port)
    name = f"[{host}]" if ":" in host else host
    names = dict.fromkeys(["127.0.0.1", "localhost", "[::1]", name])
    app = server.streamable_http_app(
        host=host,
        # A web page that the user visits must not reach the ledger through their browser.
        transport_security=TransportSecuritySettings(
            enable_dns_rebinding_protection=True,
            allowed_hosts=[f"{each}:*" for each in names],
            allowed_origins=[f"http://{each}:*" for each in names],
        ),
    )
    config = uvicorn.Config(
        app,
        # Blanks around a header's value are no part of it (SEP-2243): httptools leaves them there.
        http="h11",
        loop="asyncio",
        log_config=None,
        access_log=False,
        ws="none",
        lifespan="on",
        timeout_graceful_shutdown=1,
    )
    address = f"http://{name}:{listening.getsockname()[1]}/mcp"
    print(f"Serving MCP on {address} (Ctrl-C ends it)", file=sys.stderr, flush=True)  # noqa: T201
    with listening:
        QuietServer(config).run(sockets=[listening])
