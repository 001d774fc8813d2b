"""What a replayed conversation would have been billed, with caching simulated block by block."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from benchmarks.window_replay.contents import Contents, Key, blocks_of, is_marked
from token_tracking.errors import UnknownModelError
from token_tracking.pricing import PriceBook, Rates
from token_tracking.window.blocks import PlainMessage
from token_tracking.window.prompt_cache import Breakpoint, CacheUse, PromptCache

LIFETIMES = ("5m", "1h")
MOST_BREAKPOINTS = 4

_USUAL = Rates(5_000_000, 25_000_000, 500_000, 6_250_000, 10_000_000, None, "as claude-opus-4-6")
"""For models without a price: only ratios are printed."""


@dataclass
class Bill:
    """Sums of one replay: pico-USD of prompts and of what a policy had written, by lifetime;
    `answers_pico` are those of the transcript's answers; `largest` is a prompt, in tokens."""

    pico: dict[str, int] = field(default_factory=lambda: dict.fromkeys(LIFETIMES, 0))
    answers_pico: int = 0
    tokens: int = 0
    stable_tokens: int = 0
    comparable_tokens: int = 0
    requests: int = 0
    largest: int = 0

    def add(self, other: "Bill") -> None:
        """Add the sums of another."""
        for ttl in LIFETIMES:
            self.pico[ttl] += other.pico[ttl]
        self.answers_pico += other.answers_pico
        self.tokens += other.tokens
        self.stable_tokens += other.stable_tokens
        self.comparable_tokens += other.comparable_tokens
        self.requests += other.requests
        self.largest = max(self.largest, other.largest)


@dataclass
class _Line:
    """What one model's cache knows of a conversation: models share nothing."""

    caches: dict[str, PromptCache]
    last: list[Key]


class Biller:
    """Bills one conversation. Whoever sets no breakpoints gets the usual ones: behind the system
    prompt, where the last request ended, and at the end."""

    def __init__(self, contents: Contents, base_tokens: int, prices: PriceBook) -> None:
        self.bill = Bill()
        self._contents = contents
        self._base = base_tokens
        self._prices = prices
        self._lines: dict[str, _Line] = {}
        self._last: list[Key] = []

    def send(
        self, messages: Sequence[PlainMessage], keys: list[Key], model: str, at_ms: int
    ) -> dict[str, CacheUse]:
        """One request; how its prompt is billed with either lifetime."""
        sums = [0, *accumulate(map(self._contents.tokens, keys), initial=self._base)]
        line = self._lines.setdefault(model, _Line({ttl: PromptCache() for ttl in LIFETIMES}, []))
        same = common(keys, line.last)
        places = self.places(messages, same, len(keys))
        used: dict[str, CacheUse] = {}
        for ttl, cache in line.caches.items():
            use = used[ttl] = cache.send(
                [Breakpoint(place, ttl) for place in places],
                sums.__getitem__,
                blocks=1 + len(keys),
                unchanged=1 + same if line.last else 0,
                at_ms=at_ms,
            )
            self.bill.pico[ttl] += _prompt_pico(use, self._rates(model, at_ms, sums[-1]))
        self._note(sums, common(keys, self._last))
        self._last = line.last = keys
        return used

    def answer(self, model: str, at_ms: int, *, prompt: int, output: int) -> None:
        """An answer of the transcript, to a prompt of that size."""
        self.bill.answers_pico += output * self._rates(model, at_ms, prompt).output

    def write(self, model: str, at_ms: int, *, prompt: int, output: int) -> None:
        """Tokens that a policy had another request read (uncached) and write."""
        rates = self._rates(model, at_ms, prompt)
        for ttl in LIFETIMES:
            self.bill.pico[ttl] += prompt * rates.input + output * rates.output
        self.bill.tokens += prompt

    def _note(self, sums: list[int], same: int) -> None:
        bill = self.bill
        bill.requests += 1
        bill.tokens += sums[-1]
        bill.largest = max(bill.largest, sums[-1])
        if self._last:
            before = sum(map(self._contents.tokens, self._last))
            bill.comparable_tokens += before
            bill.stable_tokens += sums[1 + same] - self._base

    @staticmethod
    def places(messages: Sequence[PlainMessage], same: int, blocks: int) -> list[int]:
        """The breakpoints of a request, as numbers of blocks before them; the base is one. `same`
        of its `blocks` are those of the last request."""
        own = [place + 1 for place, block in enumerate(_all(messages)) if is_marked(block)]
        if not own:
            own = [1 + blocks, *([1 + same] if same else [])]
        return sorted({*own, 1} if len(own) < MOST_BREAKPOINTS else set(own))

    def _rates(self, model: str, at_ms: int, prompt_tokens: int) -> Rates:
        return rates_of(self._prices, model, at_ms, prompt_tokens)


def rates_of(prices: PriceBook, model: str, at_ms: int, prompt_tokens: int) -> Rates:
    """A model's rates at a time; for one without a price those of a usual model."""
    try:
        return prices.rates(model, at_ms, prompt_tokens=prompt_tokens)
    except UnknownModelError:
        return _USUAL


def _all(messages: Sequence[PlainMessage]) -> list[object]:
    return ["", *(block for message in messages for block in blocks_of(message))]


def common(keys: Sequence[Key], others: Sequence[Key]) -> int:
    """How many blocks at the front of two prompts are the same."""
    same = 0
    for mine, other in zip(keys, others, strict=False):
        if mine != other:
            break
        same += 1
    return same


def _prompt_pico(use: CacheUse, rates: Rates) -> int:
    return (
        use.read * rates.cache_read
        + use.write_5m * rates.cache_write_5m
        + use.write_1h * rates.cache_write_1h
        + use.uncached * rates.input
    )
