"""The gateway with its real server on a socket, in a thread of its own."""

import asyncio
import signal
import socket
import sys
import threading
from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from tests.upstream.completions.dialects import ROOTS
from token_tracking.recording import Recorder
from token_tracking_server.gateway.app import Gateway, create_gateway
from token_tracking_server.gateway.config.values import GatewayConfig, Upstream
from token_tracking_server.gateway.serving import server_of
from token_tracking_server.settings import Settings
from token_tracking_server.shutdown import SIGNALS

_TIMEOUT_SECONDS = 20


@dataclass(frozen=True)
class Running:
    """A gateway that runs."""

    url: str
    recorder: Recorder


def config_before(upstream_url: str, misbehaving_url: str, **fields: Any) -> GatewayConfig:
    """Every provider at the local upstream, and two that are broken."""
    upstreams = (
        Upstream(name="anthropic", base_url=upstream_url, form="anthropic"),
        Upstream(name="openai", base_url=upstream_url + ROOTS["openai"], form="openai"),
        Upstream(name="groq", base_url=upstream_url + ROOTS["groq"], form="openai"),
        Upstream(name="gemini", base_url=upstream_url + ROOTS["gemini"], form="openai"),
        Upstream(name="broken", base_url=misbehaving_url, form="anthropic"),
        Upstream(name="broken-openai", base_url=misbehaving_url + "/v1", form="openai"),
    )
    return GatewayConfig(upstreams=upstreams, **fields)


@contextmanager
def gateway_before(
    upstream_url: str, misbehaving_url: str, database: Path, **fields: Any
) -> Generator[Running]:
    """A gateway whose ledger is `database`."""
    settings = Settings(database=f"sqlite:///{database}")
    gateway = create_gateway(config_before(upstream_url, misbehaving_url, **fields), settings)
    server = _server_of(gateway)
    started = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        async def serve() -> None:
            async with gateway.running():
                started.set()
                await server.serve(sockets=[listening])

        thread = threading.Thread(target=_run, args=(serve(),), name="gateway", daemon=True)
        thread.start()
        assert started.wait(_TIMEOUT_SECONDS), "the gateway did not start"
        try:
            url = f"http://127.0.0.1:{listening.getsockname()[1]}"
            yield Running(url, gateway.services.recorder)
        finally:
            server.should_exit = True
            thread.join(_TIMEOUT_SECONDS)
    assert not thread.is_alive(), "the gateway did not end"


def _run(serving: Coroutine[Any, Any, None]) -> None:
    """On the event loop that the gateway has: there is no uvloop for Windows."""
    if sys.platform == "win32":
        asyncio.run(serving)
    else:
        import uvloop

        uvloop.run(serving)


def _server_of(gateway: Gateway) -> uvicorn.Server:
    """The gateway's own server, which is not to take the test run's signals over."""
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        return server_of(gateway)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
