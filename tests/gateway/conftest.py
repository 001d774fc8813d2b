"""Gateways before servers that behave, and before one that does not."""

from collections.abc import Iterator

import pytest

from tests.gateway.serving import Served, config_of, served_gateway
from tests.upstream.app import Upstream
from tests.upstream.misbehaving import Misbehaving, misbehaves
from tests.upstream.serve import served


@pytest.fixture(scope="package")
def any_upstream() -> Iterator[Upstream]:
    """A server for all of a package's tests."""
    with served() as upstream:
        yield upstream


@pytest.fixture(scope="package")
def any_gateway(
    any_upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """A gateway before it, for all of a package's tests."""
    folder = tmp_path_factory.mktemp("gateway")
    with served_gateway(config_of(any_upstream.base_url), folder) as gateway:
        yield gateway


@pytest.fixture(scope="package")
def any_misbehaving() -> Iterator[Misbehaving]:
    """A server that keeps no rules, for all of a package's tests."""
    with misbehaves() as misbehaving:
        yield misbehaving


@pytest.fixture(scope="package")
def before_misbehaving(
    any_misbehaving: Misbehaving, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """A gateway before it, for all of a package's tests."""
    folder = tmp_path_factory.mktemp("gateway")
    with served_gateway(config_of(any_misbehaving.base_url), folder) as gateway:
        yield gateway
