"""The server on a port of its own, in a thread of its own."""

import asyncio
import socket
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn

from tests.upstream.app import Upstream

_TIMEOUT_SECONDS = 20


def _listening(port: int) -> socket.socket:
    """Open before the server is: whoever connects early waits."""
    listening = socket.create_server(("127.0.0.1", port))
    # Else asyncio leaves Nagle's algorithm on, and each answer's body waits 40 ms for its head.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def server_of(app: Any) -> uvicorn.Server:
    """A server of this application that says nothing by itself."""
    config = uvicorn.Config(
        app, log_config=None, lifespan="off", ws="none", timeout_graceful_shutdown=1
    )
    return uvicorn.Server(config)


@contextmanager
def served_app(app: Any, port: int = 0) -> Generator[str]:
    """Any application of this kind on a port of its own: the server's address."""
    listening = _listening(port)
    server = server_of(app)

    def run() -> None:
        asyncio.run(server.serve(sockets=[listening]))

    thread = threading.Thread(target=run, name="upstream", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(_TIMEOUT_SECONDS)
        listening.close()
    assert not thread.is_alive(), "the server did not end"


@contextmanager
def served(upstream: Upstream | None = None, port: int = 0) -> Generator[Upstream]:
    """The server, for as long as it is needed. Raises at its end what a script raised."""
    held = upstream or Upstream()
    with served_app(held.app(), port) as held.base_url:
        yield held
    if held.faults:
        raise held.faults[0]


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    """A server of the test's own."""
    with served() as upstream:
        yield upstream
