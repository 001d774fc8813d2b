"""The ways from a client to the upstream."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import httpx2
from anthropic import Anthropic, AsyncAnthropic
from openai import AsyncOpenAI, OpenAI

from tests.contract.ledger import Ledger
from tests.upstream.app import Upstream
from tests.upstream.completions.dialects import ROOTS, Dialect
from tests.upstream.misbehaving import Misbehaving
from token_tracking import track
from token_tracking.recording import Recorder

Way = Literal["direct", "gateway", "tracked", "tracked, gateway"]


def ways(*, is_async: bool) -> tuple[Way, ...]:
    """All but the direct one. The gateway cannot tell the two kinds of client from one another, so
    that one of them goes through it."""
    return ("gateway", "tracked", "tracked, gateway") if is_async else ("tracked",)


_NAMES: dict[Dialect, str] = {"openai": "", "groq": "/groq", "gemini": "/gemini"}


@dataclass
class World:
    """The servers of one test run, and the ledger that everything is recorded in."""

    upstream_url: str
    misbehaving: Misbehaving
    gateway_url: str
    recorders: list[Recorder]
    ledger: Ledger
    folder: Path
    upstream: Upstream = field(default_factory=Upstream)

    def flush(self) -> None:
        """Wait until all that was recorded is in the ledger."""
        assert all(recorder.flush() for recorder in self.recorders)

    def anthropic(
        self, way: Way, *, is_async: bool, broken: bool = False, **options: Any
    ) -> Anthropic | AsyncAnthropic:
        """Anthropic's client, this way."""
        if "gateway" in way:
            address = self.gateway_url + ("/broken" if broken else "")
        else:
            address = self.misbehaving.base_url if broken else self.upstream_url
        options = {"api_key": "test", "base_url": address} | options
        made = AsyncAnthropic(**options) if is_async else Anthropic(**options)
        return self._tracked(way, made)

    def openai(
        self,
        way: Way,
        *,
        is_async: bool,
        broken: bool = False,
        dialect: Dialect = "openai",
        **options: Any,
    ) -> OpenAI | AsyncOpenAI:
        """OpenAI's client, this way."""
        if "gateway" in way:
            address = self.gateway_url + ("/broken-openai" if broken else _NAMES[dialect]) + "/v1"
        else:
            root = self.misbehaving.base_url if broken else self.upstream_url
            address = root + ROOTS["openai" if broken else dialect]
        options = {"api_key": "test", "base_url": address} | options
        made = AsyncOpenAI(**options) if is_async else OpenAI(**options)
        return self._tracked(way, made)

    def _tracked(self, way: Way, client: Any) -> Any:
        if "tracked" not in way:
            return client
        return track(client, recorder=self.recorders[0])


def plain(address: str) -> httpx2.Client:
    """A client of no provider."""
    return httpx2.Client(base_url=address, timeout=20)
