"""The servers, once for a process: an upstream that each test replaces, one that misbehaves, and
the gateway before both."""

import asyncio
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.gateways import gateway_before
from tests.contract.ledger import Ledger
from tests.contract.running import waits
from tests.contract.ways import World
from tests.upstream.app import Upstream
from tests.upstream.misbehaving import misbehaves
from tests.upstream.serve import served_app
from token_tracking.recording import Recorder
from token_tracking.store import TokenStore

__all__ = ["waits"]


@pytest.fixture(autouse=True)
def no_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each client reads all certificates when it is made, which takes longer than any test here;
    none of them speaks TLS."""

    def load_nothing(*_of: Any, **_from: Any) -> None:
        pass

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", load_nothing)


class Switch:
    """An application that passes everything on to the upstream of the moment."""

    def __init__(self) -> None:
        self.world: World | None = None
        self._apps: dict[int, tuple[Upstream, Any]] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        assert self.world is not None
        upstream = self.world.upstream
        if id(upstream) not in self._apps:
            self._apps = {id(upstream): (upstream, upstream.app())}
        await self._apps[id(upstream)][1](scope, receive, send)


async def _create(database: Path) -> None:
    async with TokenStore.opened(f"sqlite:///{database}"):
        pass


@pytest.fixture(scope="session")
def session_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Everything, for as long as tests of this process need it."""
    folder: Path = tmp_path_factory.mktemp("contract")
    database = folder / "ledger.db"
    asyncio.run(_create(database))
    switch = Switch()
    with (
        served_app(switch) as upstream_url,
        misbehaves() as misbehaving,
        gateway_before(upstream_url, misbehaving.base_url, database) as gateway,
    ):
        recorder = Recorder.open(f"sqlite:///{database}")
        world = World(
            upstream_url,
            misbehaving,
            gateway.url,
            [recorder, gateway.recorder],
            Ledger(database),
            folder,
        )
        switch.world = world
        try:
            yield world
        finally:
            recorder.close()


@pytest.fixture
def world(session_world: World) -> Iterator[World]:
    """The same, with an upstream of the test's own. Raises at its end what a script raised."""
    session_world.upstream = Upstream()
    yield session_world
    if session_world.upstream.faults:
        raise session_world.upstream.faults[0]
