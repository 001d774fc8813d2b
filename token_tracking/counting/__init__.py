"""Token counts without the network, each with its method and its error.

Importing it is light: tiktoken and its vocabularies are loaded at the first count.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from token_tracking.counting.count import (
        Counter,
        TokenCount,
        TokenCounter,
        count_tokens,
        count_tokens_async,
    )
    from token_tracking.counting.errors import CountingError
    from token_tracking.counting.multipliers import (
        Multiplier,
        default_multiplier,
        multiplier_key,
    )
    from token_tracking.counting.quick import quick_tokens
    from token_tracking.counting.reference import AnthropicCounter
    from token_tracking.counting.tokens import encoding_tokens, encoding_tokens_many

__all__ = [
    "AnthropicCounter",
    "Counter",
    "CountingError",
    "Multiplier",
    "TokenCount",
    "TokenCounter",
    "count_tokens",
    "count_tokens_async",
    "default_multiplier",
    "encoding_tokens",
    "encoding_tokens_many",
    "multiplier_key",
    "quick_tokens",
]

_MODULES = {
    "AnthropicCounter": "reference",
    "Counter": "count",
    "CountingError": "errors",
    "Multiplier": "multipliers",
    "TokenCount": "count",
    "TokenCounter": "count",
    "count_tokens": "count",
    "count_tokens_async": "count",
    "default_multiplier": "multipliers",
    "encoding_tokens": "tokens",
    "encoding_tokens_many": "tokens",
    "multiplier_key": "multipliers",
    "quick_tokens": "quick",
}


def __getattr__(name: str) -> object:
    # Who needs a multiplier alone does not wait for threads and vocabularies (PEP 562).
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
