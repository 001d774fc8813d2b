"""A gateway whose agents have keys, and a client that asks it."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from tests.gateway.serving import Served, config_of, served_gateway
from tests.upstream.app import Upstream
from tests.upstream.scripts import greeting
from tests.upstream.serve import served
from token_tracking.client import GatewayClient
from token_tracking_server.gateway.config import AgentConfig, GatewayConfig

KEY_VARIABLE = "TEST_PROVIDER_KEY"
KEY = "sk-of-the-gateway"
AGENTS = (
    AgentConfig(name="claude", model="claude-sonnet-4-5", system="Be brief.", max_rag_tokens=0),
    AgentConfig(name="gpt", model="gpt-5", system="Be brief.", max_rag_tokens=0),
)


def with_keys(config: GatewayConfig) -> GatewayConfig:
    """Every upstream asked with the environment's key."""
    upstreams = tuple(replace(each, key_env=KEY_VARIABLE) for each in config.upstreams)
    return replace(config, upstreams=upstreams)


@pytest.fixture(scope="module")
def shared_upstream() -> Iterator[Upstream]:
    """A server for all tests of a module."""
    with served() as upstream:
        yield upstream


@pytest.fixture(scope="module")
def gateway(
    shared_upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """A gateway before it, with a key for it, for all tests of a module."""
    config = with_keys(config_of(shared_upstream.base_url, agents=AGENTS))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(KEY_VARIABLE, KEY)
        with served_gateway(config, tmp_path_factory.mktemp("gateway")) as running:
            yield running


@pytest.fixture
def upstream(shared_upstream: Upstream) -> Upstream:
    """The server, as if nobody had asked it yet."""
    shared_upstream.requests.clear()
    shared_upstream.script(greeting)
    return shared_upstream


@pytest.fixture
async def client(gateway: Served, upstream: Upstream) -> AsyncIterator[GatewayClient]:
    """A client of `gateway`, whose configuration has the agents `claude` and `gpt`."""
    del upstream
    async with GatewayClient(gateway.base_url) as client:
        yield client


def recorded(gateway: Served, conversation_id: str) -> list[dict[str, Any]]:
    """The messages of a conversation in the ledger."""
    return [row for row in gateway.recorded() if row["session_id"] == conversation_id]
