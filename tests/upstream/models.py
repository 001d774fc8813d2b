"""The models that the server knows."""

from dataclasses import dataclass

from tests.upstream.errors import Refusal
from tests.upstream.values import Json


@dataclass(frozen=True)
class Model:
    """A model's limits, in tokens; `min_cached` is the shortest prefix that is cached.

    `prefill` says whether an assistant may stand last in a request, `compacts` whether
    `compact_20260112` is known.
    """

    id: str
    name: str
    context: int = 1_000_000
    max_output: int = 128_000
    min_cached: int = 1_024
    prefill: bool = False
    compacts: bool = True

    def card(self) -> Json:
        """The model as `/v1/models` shows it."""
        return {
            "type": "model",
            "id": self.id,
            "display_name": self.name,
            "created_at": "2026-01-01T00:00:00Z",
            "lifecycle": "active",
            "max_input_tokens": self.context,
            "max_tokens": self.max_output,
        }


MODELS = (
    Model("claude-opus-5-5", "Claude Opus 5.5"),
    Model("claude-opus-4-8", "Claude Opus 4.8"),
    Model("claude-opus-4-6", "Claude Opus 4.6"),
    Model("claude-sonnet-4-6", "Claude Sonnet 4.6", max_output=64_000),
    Model("claude-sonnet-4-5", "Claude Sonnet 4.5", 200_000, 64_000, prefill=True, compacts=False),
    Model("claude-haiku-4-5", "Claude Haiku 4.5", 200_000, 64_000, prefill=True, compacts=False),
)
"""Some of Anthropic's, with their published windows. The smallest cached prefix differs among the
real ones; here it is the 1,024 tokens of most, and a test may set another."""


class Catalog:
    """The models by name. A test may add its own."""

    def __init__(self, models: tuple[Model, ...] = MODELS) -> None:
        self._models = {model.id: model for model in models}

    def add(self, model: Model) -> None:
        """Another model, or another one of that name."""
        self._models[model.id] = model

    def get(self, name: str) -> Model:
        """The model of this name. Raises `Refusal` (404)."""
        try:
            return self._models[name]
        except KeyError:
            raise Refusal(404, f"model: {name}") from None

    def page(self) -> Json:
        """All of them, on one page."""
        ids = list(self._models)
        return {
            "data": [model.card() for model in self._models.values()],
            "first_id": ids[0] if ids else None,
            "last_id": ids[-1] if ids else None,
            "has_more": False,
        }
