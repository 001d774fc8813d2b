"""The server on HTTP, for this machine only."""

import ipaddress
import socket
import sys
from types import FrameType
from typing import Any, Final

import uvicorn
from mcp.server import MCPServer
from mcp.server.transport_security import TransportSecuritySettings

from token_tracking.errors import TokenTrackingError
from token_tracking_server.shutdown import Shutdown

_GRACE_SECONDS: Final = 3.0
_BACKLOG: Final = 128


class ServingError(TokenTrackingError):
    """The server cannot listen where it was told to."""


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
        log_config=None,
        access_log=False,
        ws="none",
        lifespan="on",
        timeout_graceful_shutdown=1,
    )
    address = f"http://{name}:{listening.getsockname()[1]}/mcp"
    print(f"Serving MCP on {address} (Ctrl-C ends it)", file=sys.stderr, flush=True)  # noqa: T201
    with listening:
        _Uvicorn(config).run(sockets=[listening])


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens on an address of this machine.

    Raises:
        ServingError: the host is not this machine, or the port is taken.
    """
    if not is_loopback(host):
        raise ServingError(
            f"{host} can be reached from other machines, and the server asks nobody who they are."
            " Listen on 127.0.0.1 (or localhost, or ::1)."
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise ServingError(
            f"Cannot listen on {host}:{port}: {error.strerror or error}. Choose another port, or"
            " end what uses this one."
        ) from error


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _Uvicorn(uvicorn.Server):
    """Ends with status 0 at a signal, where uvicorn would raise the signal again at its end."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._shutdown = Shutdown(self._stop, _GRACE_SECONDS)
        # Uvicorn takes SIGINT and SIGTERM over while it runs, not SIGHUP.
        self._shutdown.on_signals()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._shutdown.begin()

    def _stop(self) -> None:
        self.should_exit = True
