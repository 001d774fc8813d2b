"""What a provider's prompt cache holds of one conversation, simulated request by request.

The rules are those of Anthropic's documentation of prompt caching: an entry is made at each
breakpoint, covers everything before it, and lives five minutes or an hour from its last use; a
breakpoint looks for entries at 20 blocks, of which its own is the first; prompts below a model's
minimum are not cached. Which shorter entries are kept alive by a longer one is not documented:
here none is.

Providers that cache by themselves (OpenAI) take no breakpoints.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from msgspec import Struct

from token_tracking.pricing import normalize_model

LOOKBACK_BLOCKS: Final = 20
MINIMUM_TOKENS: Final = 1024
FIVE_MINUTES_MS: Final = 5 * 60 * 1000
HOUR_MS: Final = 60 * 60 * 1000
_MINIMA: Final = (
    (r"claude-(opus|sonnet)-5-5|claude-opus-5|claude-(fable|mythos)-5(-1)?", 512),
    (r"claude-opus-4-7|claude-mythos-preview", 2_048),
    (r"claude-opus-4-[56]|claude-haiku-4-5", 4_096),
    (r"claude-3-5-haiku|claude-3-haiku", 2_048),
)
"""By Anthropic's documentation of prompt caching ("cache limitations"), as it was quoted by others
in October 2026. All other models that it names have 1,024, which is taken for unknown ones."""

LIFETIMES_MS: Final = {"5m": FIVE_MINUTES_MS, "1h": HOUR_MS}


def minimum_tokens(model: str) -> int:
    """The prompt tokens below which nothing of a model's prompts is cached."""
    name = normalize_model(model)
    return next((each for known, each in _MINIMA if re.fullmatch(known, name)), MINIMUM_TOKENS)


class Breakpoint(NamedTuple):
    """A place in a prompt up to which it is cached: behind its first `blocks` blocks, for `ttl`
    (`5m` or `1h`)."""

    blocks: int
    ttl: str = "5m"


class CacheUse(NamedTuple):
    """The prompt tokens of one request, by how they are billed."""

    read: int
    write_5m: int
    write_1h: int
    uncached: int

    @property
    def prompt_tokens(self) -> int:
        """All of them."""
        return sum(self)


class _Entry(Struct):
    blocks: int
    ttl: str
    used_ms: int

    def is_alive(self, at_ms: int) -> bool:
        return at_ms - self.used_ms <= LIFETIMES_MS[self.ttl]


TokensBefore = Callable[[int], int]
"""The tokens of the first n blocks of a prompt."""


class PromptCache:
    """The entries of one conversation with one model, made at breakpoints."""

    takes_breakpoints: Final = True

    def __init__(
        self, *, minimum_tokens: int = MINIMUM_TOKENS, lookback: int = LOOKBACK_BLOCKS
    ) -> None:
        self._minimum = minimum_tokens
        self._lookback = lookback
        self._entries: list[_Entry] = []

    def readable(self, unchanged: int, tokens_before: TokensBefore, at_ms: int) -> int:
        """How many tokens a request at `at_ms` would read whose prompt is that of the request
        before up to `unchanged` blocks, with a breakpoint wherever it helps."""
        return tokens_before(max(map(_place, self._alive(unchanged, at_ms)), default=0))

    def is_alive(self, at_ms: int) -> bool:
        """Whether anything of the conversation is still cached."""
        return any(entry.is_alive(at_ms) for entry in self._entries)

    def send(
        self,
        breakpoints: Sequence[Breakpoint],
        tokens_before: TokensBefore,
        *,
        blocks: int,
        unchanged: int,
        at_ms: int,
    ) -> CacheUse:
        """One request of `blocks` blocks, of which the first `unchanged` are those of the request
        before; `tokens_before(n)` are the tokens of its first n blocks."""
        self._entries = self._alive(unchanged, at_ms)
        placed = sorted(each for each in breakpoints if tokens_before(each.blocks) >= self._minimum)
        end = read = tokens_before(self._find(placed, at_ms))
        written = {"5m": 0, "1h": 0}
        for place, ttl in placed:
            tokens = tokens_before(place)
            if tokens > end:
                written[ttl] += tokens - end
                end = tokens
            self._keep(place, ttl, at_ms)
        return CacheUse(read, written["5m"], written["1h"], tokens_before(blocks) - end)

    def _alive(self, blocks: int, at_ms: int) -> list[_Entry]:
        return [each for each in self._entries if each.blocks <= blocks and each.is_alive(at_ms)]

    def _find(self, placed: Sequence[Breakpoint], at_ms: int) -> int:
        """The blocks of the longest entry that a breakpoint finds; all that are found live on."""
        longest = 0
        for place, _ in placed:
            first = place - self._lookback + 1  # its own block is the first of them
            within = [each for each in self._entries if first <= each.blocks <= place]
            if within:
                found = max(within, key=_place)
                found.used_ms = at_ms
                longest = max(longest, found.blocks)
        return longest

    def _keep(self, blocks: int, ttl: str, at_ms: int) -> None:
        for entry in self._entries:
            if entry.blocks == blocks:
                entry.used_ms = at_ms
                entry.ttl = max(entry.ttl, ttl, key=LIFETIMES_MS.__getitem__)
                return
        self._entries.append(_Entry(blocks, ttl, at_ms))


class AutomaticCache:
    """The cache of a provider that takes no breakpoints: any prefix of the last request that is
    unchanged is found, for five minutes (OpenAI's documentation: five to ten, in steps of 128
    tokens from 1,024 on; writing costs nothing)."""

    takes_breakpoints: Final = False

    def __init__(self, *, minimum_tokens: int = MINIMUM_TOKENS) -> None:
        self._minimum = minimum_tokens
        self._sent_ms: int | None = None

    def readable(self, unchanged: int, tokens_before: TokensBefore, at_ms: int) -> int:
        """As `PromptCache.readable`."""
        tokens = tokens_before(unchanged)
        return tokens if self.is_alive(at_ms) and tokens >= self._minimum else 0

    def is_alive(self, at_ms: int) -> bool:
        """Whether the last request is still cached."""
        return self._sent_ms is not None and at_ms - self._sent_ms <= FIVE_MINUTES_MS

    def send(
        self,
        breakpoints: Sequence[Breakpoint],
        tokens_before: TokensBefore,
        *,
        blocks: int,
        unchanged: int,
        at_ms: int,
    ) -> CacheUse:
        """As `PromptCache.send`; all that is not read counts as uncached."""
        read = self.readable(unchanged, tokens_before, at_ms)
        self._sent_ms = at_ms
        return CacheUse(read, 0, 0, tokens_before(blocks) - read)


def _place(entry: _Entry) -> int:
    return entry.blocks
