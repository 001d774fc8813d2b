"""Both packages' clients before a server that speaks both forms, tracked into a list."""

from collections.abc import Iterator
from typing import Any

import pytest
from anthropic import Anthropic
from openai import OpenAI

from tests.upstream.app import Upstream
from tests.upstream.serve import upstream
from token_tracking.sources.sdk import Caller, track_client
from token_tracking.usage import UsageEvent

__all__ = ["upstream"]

ASKED: list[Any] = [{"role": "user", "content": "What is a token?"}]


@pytest.fixture
def seen() -> list[UsageEvent]:
    """What was recorded."""
    return []


@pytest.fixture
def claude(upstream: Upstream, seen: list[UsageEvent]) -> Iterator[Anthropic]:
    """Anthropic's client, tracked; it asks once."""
    made = Anthropic(api_key="test", base_url=upstream.base_url, max_retries=0)
    with track_client(made, seen.append, Caller(session_id="s1", user="ada")) as client:
        yield client


@pytest.fixture
def gpt(upstream: Upstream, seen: list[UsageEvent]) -> Iterator[OpenAI]:
    """OpenAI's client, tracked; it asks once."""
    made = OpenAI(api_key="test", base_url=upstream.base_url + "/v1", max_retries=0)
    with track_client(made, seen.append, Caller()) as client:
        yield client
