"""Listening on this machine, and on another's request only with a token."""

import errno
import ipaddress
import socket
from types import FrameType
from typing import Final

import uvicorn

from token_tracking.errors import TokenTrackingError
from token_tracking_server.shutdown import Shutdown

_GRACE_SECONDS: Final = 3.0
_BACKLOG: Final = 128


class ServingError(TokenTrackingError):
    """The server cannot listen where it was told to."""


def listen(
    host: str, port: int, *, asks_for_token: bool = False, backlog: int = _BACKLOG
) -> socket.socket:
    """A socket that listens on an address of this machine; on one that others reach only for a
    server that asks them for a token.

    Raises:
        ServingError: the host is not this machine, or has no such address, or the port is taken.
    """
    if not asks_for_token and not is_loopback(host):
        raise ServingError(
            f"{host} can be reached from other machines, and the server asks nobody who they are."
            " Listen on 127.0.0.1 (or localhost, or ::1)."
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=backlog)
    except OSError as error:
        raise ServingError(
            f"Cannot listen on {host}:{port}: {error.strerror or error}. {_way_out(error)}"
        ) from error
    # Of a socket that does not name its protocol, asyncio (unlike uvloop) leaves Nagle's algorithm
    # on: an answer's body waited 40 ms for the receipt of its head.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def _way_out(error: OSError) -> str:
    if error.errno in {errno.EADDRNOTAVAIL, socket.EAI_NONAME}:
        return "It is no address of this machine: listen on 127.0.0.1, or on one of its own."
    return "Choose another port, or end what uses this one."


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class QuietServer(uvicorn.Server):
    """Ends with status 0 at a signal, where uvicorn would raise the signal again at its end."""

    def __init__(self, config: uvicorn.Config, grace_seconds: float = _GRACE_SECONDS) -> None:
        super().__init__(config)
        self._shutdown = Shutdown(self._stop, grace_seconds)
        # Uvicorn takes SIGINT and SIGTERM over while it runs, not SIGHUP.
        self._shutdown.on_signals()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._shutdown.begin()

    def _stop(self) -> None:
        self.should_exit = True
