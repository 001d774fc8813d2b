"""The models that upstreams are known to serve."""

import re
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from token_tracking.errors import UnknownModelError
from token_tracking.pricing import PriceBook, Rates, limits
from token_tracking.pricing.published import published
from token_tracking_server.gateway.config.values import Upstream

if TYPE_CHECKING:
    from genai_prices.types import Provider

_FRESH_SECONDS: Final = 600.0
_PRESETS: Final = {
    "anthropic": "anthropic",
    "openai": "openai",
    "gemini": "google",
    "groq": "groq",
}
"""The names of presets, and what genai-prices calls their providers."""

_PATTERN: Final = re.compile(r"[*?\[]")


class KnownModel(Struct, frozen=True, kw_only=True):
    """A model of an upstream: tokens, and rates at this moment."""

    id: str
    upstream: str
    context_window: int | None
    max_output_tokens: int | None
    rates: Rates | None
    why_no_rates: str | None


class Catalog:
    """Which models there are: Anthropic's by our price list, those of other providers by
    genai-prices, and what the configuration names. Calls may block: the first takes a third of a
    second, others one that is ten minutes old."""

    def __init__(self, upstreams: Sequence[Upstream], prices: PriceBook) -> None:
        self._upstreams = upstreams
        self._prices = prices
        self._found: list[KnownModel] = []
        self._found_at: float | None = None

    def models(self) -> list[KnownModel]:
        """All of them, upstream by upstream."""
        now = time.monotonic()
        if self._found_at is None or now - self._found_at > _FRESH_SECONDS:
            self._found = [model for each in self._upstreams for model in self._of(each)]
            self._found_at = now
        return self._found

    def _of(self, upstream: Upstream) -> Iterator[KnownModel]:
        provider = _provider_of(upstream)
        if provider is not None and provider.id == "anthropic":
            names = {*published().models, *published().overlay["limits"]}
            windows: dict[str, int | None] = dict.fromkeys(names)
        else:
            windows = _windows(provider) if provider else {}
        windows |= {
            name: windows.get(name) for name in upstream.models if not _PATTERN.search(name)
        }
        prefix = f"{provider.id}/" if provider and provider.id != "anthropic" else ""
        for name in sorted(windows):
            yield self._known(name, prefix, upstream, windows[name])

    def _known(self, name: str, prefix: str, upstream: Upstream, window: int | None) -> KnownModel:
        found = limits(name)
        rates, why = self._rates(prefix + name)
        return KnownModel(
            id=name,
            upstream=upstream.name,
            context_window=(found and found.context_window) or window,
            max_output_tokens=found and found.max_output_tokens,
            rates=rates,
            why_no_rates=why,
        )

    def _rates(self, name: str) -> tuple[Rates | None, str | None]:
        try:
            return self._prices.rates(name, time.time_ns() // 1_000_000), None
        except UnknownModelError as error:
            return None, str(error)


def _provider_of(upstream: Upstream) -> "Provider | None":
    """The one at its address, or, where that is another's, the one whose preset it is."""
    found = next((each for each in _providers() if _is_at(each, upstream.base_url)), None)
    preset = _PRESETS.get(upstream.name)
    return found or next((each for each in _providers() if each.id == preset), None)


def _windows(provider: "Provider") -> dict[str, int | None]:
    """A provider's models with their windows. Google's are listed with those that only Vertex AI
    has of others; and where its own window is not told, OpenRouter tells it."""
    listed = {model.id: model.context_window for model in provider.models}
    if provider.id != "google":
        return listed
    told = {
        model.id.removeprefix("google/"): model.context_window
        for each in _providers()
        if each.id == "openrouter"
        for model in each.models
        if model.id.startswith("google/")
    }
    return {
        name: window or told.get(name)
        for name, window in listed.items()
        if not name.startswith("claude-")
    }


def _providers() -> "Sequence[Provider]":
    from genai_prices import data  # noqa: PLC0415 (200 ms)

    return data.providers


def _is_at(provider: "Provider", address: str) -> bool:
    return re.match(provider.api_pattern, address) is not None
