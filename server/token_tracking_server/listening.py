"""Listening on this machine, and on no other."""

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


class QuietServer(uvicorn.Server):
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
