"""Serve until the client, or a signal, ends it. Returns the exit status."""

import contextlib
import gc
import os
import sys
from typing import TYPE_CHECKING

from token_tracking.errors import TokenTrackingError
from token_tracking_server.settings import Settings
from token_tracking_server.shutdown import end_quietly_while_starting

if TYPE_CHECKING:
    from token_tracking_server.app import Server


def serve_stdio(settings: Settings) -> int:
    """Serve standard input and output.

    Raises:
        TokenTrackingError: there is no standard input or output.
    """
    end_quietly_while_starting()
    _require_standard_streams()
    if sys.stdin.isatty():
        _say("Waiting for an MCP client on standard input. Ctrl-C ends it.")
    server = _create_server(settings)
    from token_tracking_server.stdio import run_stdio  # noqa: PLC0415 -- as in _create_server

    run_stdio(server)
    return 0


def serve_http(settings: Settings, host: str, port: int) -> int:
    """Serve `http://HOST:PORT/mcp`, for this machine only.

    Raises:
        TokenTrackingError: the host is not this machine, or the port is taken.
    """
    end_quietly_while_starting()
    server = _create_server(settings)
    from token_tracking_server.http import run_http  # noqa: PLC0415 -- as in _create_server

    run_http(server, host, port)
    return 0


def _create_server(settings: Settings) -> "Server":
    # Start-up is part of the first answer. Collecting cycles while modules load costs a tenth of
    # it (benchmarks/startup.py), and what they leave need never be looked at again.
    gc.disable()
    # Only what serves needs the SDK, and may be ended by a signal while that loads.
    # What prints meanwhile goes to the log: standard output belongs to the protocol.
    with contextlib.redirect_stdout(sys.stderr):
        from token_tracking_server.app import create_server  # noqa: PLC0415

        server = create_server(settings)
    gc.freeze()
    gc.enable()
    return server


def _require_standard_streams() -> None:
    for descriptor, name in ((0, "input"), (1, "output")):
        try:
            os.fstat(descriptor)
        except OSError as error:
            raise TokenTrackingError(
                f"There is no standard {name}: an MCP client starts this command and talks to it"
                " there. For a server on its own, use --http 127.0.0.1:8765."
            ) from error


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 -- to whoever started it by hand
