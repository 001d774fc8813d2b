"""The server, and the official client connected to it."""

from collections.abc import Iterator

import pytest
from anthropic import Anthropic

from tests.upstream.app import Upstream
from tests.upstream.serve import upstream

__all__ = ["upstream"]


@pytest.fixture
def client(upstream: Upstream) -> Iterator[Anthropic]:
    """Asks once: what is refused is not asked again."""
    with Anthropic(api_key="test", base_url=upstream.base_url, max_retries=0) as client:
        yield client
