"""The dashboard on a port of this machine."""

import os
import socket
import sys
import threading
import webbrowser
from typing import Final

import uvicorn

from token_tracking_server.dashboard.app import Dashboard
from token_tracking_server.dashboard.figures import Figures
from token_tracking_server.listening import QuietServer, ServingError, listen

HOST: Final = "127.0.0.1"
PORT: Final = 8788
"""Where it is served if nobody says otherwise; on any free port where this one is taken."""


async def serve_dashboard(
    figures: Figures, host: str = HOST, port: int | None = None, *, opens_browser: bool = True
) -> None:
    """Serve the page until a signal ends it, and open it in a browser. Closes the figures.

    Raises:
        ServingError: the host is not this machine, or the port that was asked for is taken.
    """
    try:
        listening = _listen(host, port)
    except ServingError:
        await figures.close()
        raise
    name = f"[{host}]" if ":" in host else host
    address = f"http://{name}:{listening.getsockname()[1]}/"
    print(f"Dashboard: {address}", flush=True)  # noqa: T201 -- the command's output
    if opens_browser:
        _open(address)
    with listening:
        await _Server(Dashboard(figures, host)).serve(sockets=[listening])


class _Server(QuietServer):
    """Ends the streams of news first, which would last as long as the pages are open."""

    def __init__(self, dashboard: Dashboard) -> None:
        super().__init__(
            uvicorn.Config(
                dashboard.app,
                log_config=None,
                access_log=False,
                ws="none",
                lifespan="on",
                timeout_graceful_shutdown=1,
            )
        )
        self._dashboard = dashboard

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._dashboard.events.end()
        await super().shutdown(sockets)


def _listen(host: str, port: int | None) -> socket.socket:
    if port is not None:
        return listen(host, port)
    try:
        return listen(host, PORT)
    except ServingError:
        return listen(host, 0)


def _open(address: str) -> None:
    """Without a screen there is at most a browser that would take over the terminal: the address
    that was printed has to do."""
    has_screen = sys.platform in {"darwin", "win32"} or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )
    if has_screen:
        # Some browsers return only when they are closed.
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
