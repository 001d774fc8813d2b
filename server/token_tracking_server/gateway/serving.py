"""The gateway on a port of this machine, or, with a token, of others."""

import asyncio
import socket
import sys
from collections.abc import Callable
from typing import Any, Final

import uvicorn

from token_tracking_server.gateway.agents.agents import checked
from token_tracking_server.gateway.app import Gateway, create_gateway
from token_tracking_server.gateway.config import GatewayConfig
from token_tracking_server.gateway.connection import Connection
from token_tracking_server.gateway.opening import DRAIN_SECONDS
from token_tracking_server.gateway.upstreams import Upstreams
from token_tracking_server.listening import QuietServer, listen
from token_tracking_server.settings import Settings

_BACKLOG: Final = 2048
_MARGIN_SECONDS: Final = 3.0
"""Beyond the calls that may end and the drain: closing databases and connections."""


def serve_gateway(config: GatewayConfig, settings: Settings) -> None:
    """Serve until a signal ends it: what is under way may end first, for `grace_seconds`.

    Raises:
        ConfigError: an agent could not answer.
        ServingError: the address cannot be listened on.
        StoreError: a database beside the ledger cannot be used.
    """
    checked(config.agents, Upstreams(config))  # before anyone can connect
    listening = listen(
        config.host, config.port, asks_for_token=config.token() is not None, backlog=_BACKLOG
    )
    gateway = create_gateway(config, settings, saves_in_child=True)
    with listening, asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_serve(gateway, listening))


async def _serve(gateway: Gateway, listening: socket.socket) -> None:
    server = server_of(gateway)
    # Opened here, and not in the server's lifespan, so that what fails is said as it is.
    async with gateway.running():
        print(welcome(gateway.config, listening.getsockname()[1]), flush=True)  # noqa: T201
        await server.serve(sockets=[listening])


def server_of(gateway: Gateway) -> QuietServer:
    """A server that adds nothing of its own to answers. `gateway` is running."""
    grace = gateway.config.grace_seconds
    config = uvicorn.Config(
        gateway,
        http=Connection,
        log_config=None,
        access_log=False,
        ws="none",
        lifespan="off",
        server_header=False,
        date_header=False,
        proxy_headers=False,
        backlog=_BACKLOG,
        timeout_graceful_shutdown=round(grace) or 1,
        timeout_keep_alive=75,
    )
    return QuietServer(config, grace + DRAIN_SECONDS + _MARGIN_SECONDS)


def welcome(config: GatewayConfig, port: int) -> str:
    """Where it listens, what is behind it, and how clients get there."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(config.host, config.host)  # noqa: S104
    name = f"[{shown}]" if ":" in shown else shown
    address = f"http://{name}:{port}"
    width = max(len(upstream.name) for upstream in config.upstreams)
    upstreams = [
        f"  {upstream.name:{width}}  {upstream.base_url}"
        + (f"  (key: {upstream.key_env})" if upstream.key_env else "")
        for upstream in config.upstreams
    ]
    return "\n".join(
        (
            f"Gateway: {address} (Ctrl-C ends it)",
            *(["Callers show the token of " + config.token_env + "."] if config.token() else []),
            "",
            "Upstreams:",
            *upstreams,
            "",
            "Point clients at it:",
            f"  export ANTHROPIC_BASE_URL={address}",
            f"  export OPENAI_BASE_URL={address}/v1",
        )
    )


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """What makes the loop that the gateway runs on."""
    if sys.platform == "win32":
        return None
    import uvloop  # noqa: PLC0415 -- there is none for Windows

    factory: Any = uvloop.new_event_loop
    return factory
