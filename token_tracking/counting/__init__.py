"""Token counts without the network, each with its method and its error.

Importing it is light: tiktoken and its vocabularies are loaded at the first count.
"""

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
]
