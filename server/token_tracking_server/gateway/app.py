"""The gateway as an ASGI application: passes on by itself, and leaves its own API to FastAPI."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI

from token_tracking.errors import TokenTrackingError
from token_tracking_server.gateway.api import create_api
from token_tracking_server.gateway.config import GatewayConfig
from token_tracking_server.gateway.errors import Shape
from token_tracking_server.gateway.opening import opened_services
from token_tracking_server.gateway.passing import Passing, form_of, respond
from token_tracking_server.gateway.passing.request import Receive, Scope, Send
from token_tracking_server.gateway.security import Guard
from token_tracking_server.gateway.services import Services
from token_tracking_server.settings import Settings

_ROOT = "/v1/"


def create_gateway(
    config: GatewayConfig, settings: Settings | None = None, *, saves_in_child: bool = False
) -> "Gateway":
    """The gateway of a configuration, over the ledger of `settings` (by default the user's). With
    `saves_in_child` a child process saves what is recorded: for a server of its own."""
    given = Settings.from_environment() if settings is None else settings
    return Gateway(config, given, saves_in_child=saves_in_child)


class Gateway:
    """Opens what it needs when it starts: within `running()`, or a server's lifespan."""

    def __init__(
        self, config: GatewayConfig, settings: Settings, *, saves_in_child: bool = False
    ) -> None:
        self.config = config
        self._settings = settings
        self._saves_in_child = saves_in_child
        self._guard = Guard(config)
        self._services: Services | None = None
        self._passing: Passing | None = None
        self._api: FastAPI | None = None

    @property
    def services(self) -> Services:
        """What its parts share, while it runs."""
        assert self._services is not None, "the gateway does not run"
        return self._services

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[Services]:
        """Run it without a server's lifespan.

        Raises:
            StoreError: a database beside the ledger cannot be used.
        """
        opening = opened_services(self.config, self._settings, saves_in_child=self._saves_in_child)
        async with opening as services:
            self._services = services
            self._passing = Passing(
                services.exchanges,
                services.upstreams,
                services.gauges,
                most_bytes=self.config.max_body_bytes,
                request_seconds=self.config.answer_seconds,
            )
            self._api = create_api(services)
            async with self._api.router.lifespan_context(self._api):
                yield services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or the server's beginning and end."""
        if scope["type"] == "http":
            await self._request(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        name, path = self._passed(scope["raw_path"].decode("latin-1"))
        gauges = self.services.gauges
        refusal = self._guard.refusal(scope["headers"])
        if refusal is not None:
            gauges.own_error(refusal)
            await respond(send, refusal, self._shape(path, scope))
            return
        scope["headers"] = self._guard.without_token(scope["headers"])
        gauges.began()
        try:
            if path is not None and self._passing is not None:
                await self._passing(scope, receive, send, path=path, name=name)
            elif self._api is not None:
                await self._api(scope, receive, send)
        except asyncio.CancelledError:
            # The server has said that calls outlive its grace; uvicorn would add a traceback each.
            return
        finally:
            gauges.ended()

    def _passed(self, path: str) -> tuple[str | None, str | None]:
        """The upstream that a path names, and the path there; no path where it is our own API."""
        if path.startswith(_ROOT):
            return None, path
        name, slash, rest = path[1:].partition("/")
        if slash and rest.startswith(_ROOT[1:]) and name in self.services.upstreams:
            return name, f"/{rest}"
        return None, None

    def _shape(self, path: str | None, scope: Scope) -> Shape:
        return "own" if path is None else form_of(path, dict(scope["headers"]))

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        async with AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(self.running())
            except TokenTrackingError as error:
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                return
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})
