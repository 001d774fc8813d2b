"""The dashboard as a web application."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from token_tracking_server.dashboard import page
from token_tracking_server.dashboard.api import api_routes
from token_tracking_server.dashboard.events import LOOK_SECONDS, Events
from token_tracking_server.dashboard.figures import Figures
from token_tracking_server.dashboard.guard import Guard


class Dashboard:
    """The page, its API, and the news that keep it up to date. `host` is the address that it is
    served on; it closes the figures at its end."""

    def __init__(self, figures: Figures, host: str, *, look_seconds: float = LOOK_SECONDS) -> None:
        self._figures = figures
        self.events = Events(figures, look_seconds)
        self.app = Starlette(
            routes=[
                *_pieces(),
                Route("/api/events", self.events.stream, methods=["GET"]),
                *api_routes(figures),
            ],
            middleware=[Middleware(Guard, host=host)],
            lifespan=self._lifespan,
        )

    @asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncGenerator[None]:
        try:
            async with self.events.running():
                yield
        finally:
            await self._figures.close()


def _pieces() -> list[Route]:
    return [
        Route(path, _serving(text, kind), methods=["GET"])
        for path, text, kind in (
            ("/", page.index, "text/html"),
            ("/app.js", page.script, "text/javascript"),
            ("/chart.js", page.chart_library, "text/javascript"),
            ("/style.css", page.style, "text/css"),
        )
    ]


def _serving(text: Callable[[], str], kind: str) -> Callable[[Request], Response]:
    def serve(request: Request) -> Response:
        return Response(text(), media_type=kind)

    return serve
