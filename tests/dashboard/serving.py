"""A dashboard on a port of its own, in a thread of its own: the tests are its reader."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager

import uvicorn

from token_tracking_server.dashboard.app import Dashboard
from token_tracking_server.dashboard.figures import Figures
from token_tracking_server.listening import listen

LOOK_SECONDS = 0.2
_TIMEOUT_SECONDS = 20


class _Quiet(uvicorn.Server):
    """Leaves the signals to the tests."""

    def __init__(self, dashboard: Dashboard) -> None:
        super().__init__(uvicorn.Config(dashboard.app, log_config=None, lifespan="on", ws="none"))
        self._dashboard = dashboard

    async def shutdown(self, sockets: object = None) -> None:
        await self._dashboard.events.end()
        await super().shutdown(None)


@contextmanager
def served(open_figures: Callable[[], Awaitable[Figures]]) -> Generator[str]:
    """The address of a dashboard over these figures, which are opened in its thread."""
    listening = listen("127.0.0.1", 0)
    ready = threading.Event()
    servers: list[_Quiet] = []
    failures: list[BaseException] = []

    async def live() -> None:
        figures = await open_figures()
        servers.append(_Quiet(Dashboard(figures, "127.0.0.1", look_seconds=LOOK_SECONDS)))
        ready.set()
        await servers[0].serve(sockets=[listening])

    def run() -> None:
        try:
            asyncio.run(live())
        except BaseException as error:
            failures.append(error)
            ready.set()
            raise

    thread = threading.Thread(target=run, name="dashboard", daemon=True)
    thread.start()
    assert ready.wait(_TIMEOUT_SECONDS)
    try:
        assert not failures, failures
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
    finally:
        for server in servers:
            server.should_exit = True
        thread.join(_TIMEOUT_SECONDS)
        listening.close()
