"""Frozen values of rate limits. Counts are requests and tokens; limits are per minute."""

from typing import Final, Literal, NamedTuple

from msgspec import Struct

WINDOW_SECONDS: Final = 60.0
"""Providers' limits are per minute; no window of this length ever holds more than the limit."""

Counts = tuple[int, int, int, int]
"""Requests, input tokens, output tokens, and tokens of both together: as storages count them."""

Limits = tuple[int | None, int | None, int | None, int | None]
"""The same for limits; `None` is no limit."""

WHAT: Final = ("requests", "input tokens", "output tokens", "tokens")
"""What each of the `Counts` is, in words."""

NO_LIMITS: Final[Limits] = (None, None, None, None)


class RateLimit(Struct, frozen=True, kw_only=True):
    """How much may be sent in a minute; `None` is no limit of ours (a learnt one holds).

    `tokens` limits input and output together, as OpenAI and Groq do. Zero lets nothing pass.

    Raises:
        ValueError: a limit is negative.
    """

    requests: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    tokens: int | None = None

    def __post_init__(self) -> None:
        if any(limit is not None and limit < 0 for limit in self.limits()):
            raise ValueError(f"{self} is negative: give whole numbers from 0, or nothing.")

    def limits(self) -> Limits:
        """As storages take them."""
        return (self.requests, self.input_tokens, self.output_tokens, self.tokens)


class Amount(Struct, frozen=True, kw_only=True, gc=False):
    """What one request takes of its limits: before it is sent an estimate, after it what was so.

    Raises:
        ValueError: a count is negative.
    """

    requests: int = 1
    input_tokens: int = 0
    output_tokens: int = 0

    def __post_init__(self) -> None:
        if min(self.requests, self.input_tokens, self.output_tokens) < 0:
            raise ValueError(f"{self} is negative: give whole numbers from 0.")

    def counts(self) -> Counts:
        """As storages count them."""
        total = self.input_tokens + self.output_tokens
        return (self.requests, self.input_tokens, self.output_tokens, total)


class RateKey(NamedTuple):
    """Whose limit it is. `key` is a fingerprint of the API key, never the key itself."""

    upstream: str
    model: str
    key: str


class Learned(Struct, frozen=True, kw_only=True):
    """What a provider's response says about limits.

    `kind` is `too_large` where the request can never pass as it is (shrink it), `rate` where it
    can later (wait), `None` where the response refuses nothing or for another reason (an empty
    account is no rate limit). `retry_after` is seconds from now. The prompt, which the provider
    counted as `requested`, must become `shrink_to` tokens or less by the same count; with
    `includes_output` that count holds the output that was asked for (`max_tokens`) too. `limit` is
    the limit that the text names, in `what` it counts. `None` is: not said.
    """

    kind: Literal["rate", "too_large"] | None = None
    retry_after: float | None = None
    shrink_to: int | None = None
    requested: int | None = None
    includes_output: bool = False
    limit: int | None = None
