"""What a conversation costs as it is sent, beside what it would have cost left alone."""

from decimal import Decimal
from typing import Final, Literal

from token_tracking.errors import UnknownModelError
from token_tracking.pricing import PriceBook, Rates, usd
from token_tracking.window.economics import UNCACHED, Economics, Ratios, ratios_of
from token_tracking.window.prepared import Costs
from token_tracking.window.prompt_cache import (
    LIFETIMES_MS,
    MINIMUM_TOKENS,
    AutomaticCache,
    CacheUse,
    PromptCache,
    minimum_tokens,
)
from token_tracking.window.remaining import Remaining

_MISSES: Final = 2
"""Requests in a row that read nothing though they should, after which no caching is expected."""

Caching = Literal["5m", "1h"]


class Spending:
    """Running totals in input tokens (see `economics`), by the model's own prices."""

    def __init__(
        self,
        model: str,
        *,
        form: str,
        caching: Caching | None,
        prices: PriceBook,
        remaining: Remaining,
    ) -> None:
        self.cache: PromptCache | AutomaticCache = (
            AutomaticCache()
            if form == "openai"
            else PromptCache(minimum_tokens=minimum_tokens(model))
        )
        self._ttl: Caching | None = "5m" if form == "openai" else caching
        self._model = model
        self._prices = prices
        self._remaining = remaining
        self._spent = self._alone = 0.0
        self._alone_cached = 0
        self._alone_ms: int | None = None
        self._requests = 0
        self._misses = self._misses_before = 0
        self._last, self._billed = CacheUse(0, 0, 0, 0), 0.0

    def rates(self, at_ms: int, prompt_tokens: int) -> Rates | None:
        """The model's rates; `None` where no price is known."""
        try:
            return self._prices.rates(self._model, at_ms, prompt_tokens=prompt_tokens)
        except UnknownModelError:
            return None

    def ratios(self, at_ms: int, prompt_tokens: int) -> Ratios:
        """Of reads and writes to plain input, as this conversation is cached."""
        if self._misses >= _MISSES:
            return UNCACHED
        return ratios_of(self.rates(at_ms, prompt_tokens), self._ttl)

    def economics(
        self,
        *,
        tokens: int,
        readable: int,
        alone: int,
        alone_kept: int,
        at_ms: int,
        is_fetching: bool = False,
    ) -> Economics:
        """What an edit of the next request is weighed with: `tokens` are sent without it, of
        which `readable` would be read; `alone` would be sent unedited, of which the first
        `alone_kept` are unchanged. One that is `is_fetching` what was cleared would not be made
        at all."""
        ratios = self.ratios(at_ms, tokens)
        spent = _cost(ratios, readable, tokens) * self._dearer(at_ms, tokens)
        left_alone = 0.0 if is_fetching else self._alone_now(ratios, alone, alone_kept, at_ms)
        return Economics(
            ratios=ratios,
            is_cached=readable > 0,
            remaining=self._remaining.expected(self._requests + 1),
            spent=self._spent + spent,
            alone=self._alone + left_alone,
        )

    def send(
        self,
        use: CacheUse,
        economics: Economics,
        *,
        alone: int,
        alone_kept: int,
        at_ms: int,
        is_fetching: bool = False,
    ) -> Costs:
        """Note a request that is sent, and what it is expected to cost."""
        tokens = use.prompt_tokens
        self._ttl = _lifetime(use) or self._ttl
        ratios = self.ratios(at_ms, tokens)
        now = self._cost_of(use, at_ms)
        alone_now = 0.0 if is_fetching else self._alone_now(ratios, alone, alone_kept, at_ms)
        self._last, self._billed = use, now
        self._misses_before = self._misses
        self._spent += now + economics.charged
        self._alone += alone_now
        self._alone_cached, self._alone_ms = alone, at_ms
        self._requests += 1
        left = economics.remaining
        later = left * ratios.read
        plain = self.rates(at_ms, 0)
        return Costs(
            now_usd=_usd(plain, now),
            alone_now_usd=_usd(plain, alone_now),
            expected_usd=_usd(plain, now + later * tokens * self._dearer(at_ms, tokens)),
            alone_expected_usd=_usd(plain, alone_now + later * alone * self._dearer(at_ms, alone)),
            remaining_requests=left,
            cache=use,
        )

    def observe(self, billed: CacheUse, at_ms: int) -> None:
        """Put what was billed in the place of what was expected of the last request; a second
        time, for the same request, in the place of what was said first."""
        actual = self._cost_of(billed, at_ms)
        self._spent += actual - self._billed
        self._billed = actual
        missed = self._last.read >= MINIMUM_TOKENS and billed.read == 0
        self._misses = self._misses_before + 1 if missed else 0

    def _cost_of(self, use: CacheUse, at_ms: int) -> float:
        tokens = use.prompt_tokens
        rates = self.rates(at_ms, tokens)
        five, hour = ratios_of(rates, "5m"), ratios_of(rates, "1h")
        written = use.write_5m * five.write + use.write_1h * hour.write
        return (use.read * five.read + written + use.uncached) * self._dearer(at_ms, tokens)

    def _dearer(self, at_ms: int, tokens: int) -> float:
        """How many times the price of a short prompt a token of one of this length costs."""
        short, rates = self.rates(at_ms, 0), self.rates(at_ms, tokens)
        if short is None or rates is None or not short.input:
            return 1.0
        return rates.input / short.input

    def _alone_now(self, ratios: Ratios, alone: int, kept: int, at_ms: int) -> float:
        lifetime = LIFETIMES_MS[self._ttl or "5m"]
        is_alive = self._alone_ms is not None and at_ms - self._alone_ms <= lifetime
        read = min(self._alone_cached, kept) if is_alive else 0
        return _cost(ratios, read, alone) * self._dearer(at_ms, alone)


def _lifetime(use: CacheUse) -> Caching | None:
    """The lifetime that a request is written for, which may be the caller's choice."""
    if not use.write_5m and not use.write_1h:
        return None
    return "1h" if use.write_1h > use.write_5m else "5m"


def _cost(ratios: Ratios, read: int, tokens: int) -> float:
    if tokens < MINIMUM_TOKENS:  # it is not cached
        return tokens
    return ratios.read * read + ratios.write * (tokens - read)


def _usd(rates: Rates | None, tokens: float) -> Decimal | None:
    return None if rates is None else usd(round(tokens * rates.input))
