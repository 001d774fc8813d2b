"""A gateway on a port of its own, in a thread of its own, and a ledger to look into."""

import asyncio
import sqlite3
import threading
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from msgspec.structs import replace

from token_tracking_server.gateway.app import Gateway, create_gateway
from token_tracking_server.gateway.config import GatewayConfig, preset_upstreams
from token_tracking_server.gateway.serving import loop_factory, server_of
from token_tracking_server.listening import listen
from token_tracking_server.settings import Settings

_TIMEOUT_SECONDS = 20


class Served(NamedTuple):
    """A gateway that runs."""

    gateway: Gateway
    port: int
    ledger: Path

    @property
    def base_url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def recorded(self) -> list[dict[str, Any]]:
        """The ledger's messages, after all that was recorded came there."""
        assert self.gateway.services.recorder.flush()
        with closing(sqlite3.connect(self.ledger)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute("SELECT * FROM ledger")]


def config_of(base_url: str, **given: Any) -> GatewayConfig:
    """Every preset's upstream at this address instead."""
    upstreams = tuple(
        replace(preset, base_url=base_url + ("" if preset.form == "anthropic" else "/v1"))
        for preset in preset_upstreams()
    )
    bare = GatewayConfig(port=0, grace_seconds=2.0, upstreams=upstreams)
    return replace(bare, **given)


@contextmanager
def served_gateway(config: GatewayConfig, folder: Path) -> Generator[Served]:
    """A gateway whose ledger stands in `folder`, for as long as it is needed."""
    ledger = folder / "ledger.db"
    gateway = create_gateway(config, Settings(database=str(ledger)))
    listening = listen(config.host, 0)
    server = server_of(gateway)
    is_up = threading.Event()

    async def serve() -> None:
        async with gateway.running():
            is_up.set()
            await server.serve(sockets=[listening])

    def run() -> None:
        # As it is run for users: the loops differ in how connections break.
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(serve())

    thread = threading.Thread(target=run, name="gateway", daemon=True)
    thread.start()
    assert is_up.wait(_TIMEOUT_SECONDS), "the gateway did not start"
    try:
        yield Served(gateway, listening.getsockname()[1], ledger)
    finally:
        server.should_exit = True
        thread.join(_TIMEOUT_SECONDS)
        listening.close()
    assert not thread.is_alive(), "the gateway did not end"
