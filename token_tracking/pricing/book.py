"""`PriceBook`: what a message cost, by its model, date, prompt length, speed, tier and place.

The user's prices beat the overlay, which beats the snapshot of genai-prices; models that none of
them has are looked up in genai-prices itself.
"""

from bisect import bisect_right
from pathlib import Path
from typing import Final, NamedTuple

from token_tracking.errors import UnknownModelError
from token_tracking.pricing.cards import Quote
from token_tracking.pricing.genai import ask
from token_tracking.pricing.published import published
from token_tracking.pricing.rates import FREE, Cost, Rates, cost_of
from token_tracking.pricing.resolve import Elsewhere, Request, Resolver, read_request
from token_tracking.pricing.user_prices import UserPrices
from token_tracking.usage import SYNTHETIC_MODEL, Usage

_EVER: Final = -(2**63)


class _Unpriced(NamedTuple):
    reason: str


class _Bands(NamedTuple):
    """Rates by the length of the prompt, the longest first; the last are for the rest."""

    bands: tuple[tuple[int, Rates], ...]

    def rates(self, prompt_tokens: int) -> Rates:
        for over, rates in self.bands:
            if prompt_tokens > over:
                return rates
        return self.bands[-1][1]


_Entry = Rates | _Bands | Elsewhere | _Unpriced


class _Schedule(NamedTuple):
    """What holds from each moment on, for one model, speed, tier and place."""

    starts: list[int]
    entries: list[_Entry]


class PriceBook:
    """Exact prices by the date of each message. It keeps what it looks up.

    Args:
        user_prices: a price file of the user; `prices_file` documents its form.

    Raises:
        InvalidPricesError: the file is missing or no price file.
    """

    def __init__(self, user_prices: Path | None = None) -> None:
        self._user: Final = None if user_prices is None else UserPrices(user_prices)
        self._schedules: Final[dict[tuple[str, str | None, str | None, str | None], _Schedule]] = {}

    def rates(
        self,
        model: str,
        at_ms: int,
        *,
        prompt_tokens: int = 0,
        speed: str | None = None,
        service_tier: str | None = None,
        inference_geo: str | None = None,
    ) -> Rates:
        """The rates of a message with `prompt_tokens` tokens of prompt (all of it, cached or not),
        at `at_ms` milliseconds since 1970 UTC.

        `model` is the name as the provider wrote it: a Bedrock id says where the model ran.
        `speed`, `service_tier` and `inference_geo` are those of the response's usage; an absent
        one means standard. Of Claude, `batch` costs half and `priority` as standard, unless a price
        is known; of others, both cost what is published for them.

        Raises:
            UnknownModelError: no price is known; the text says of what, and what to do.
        """
        key = (model, speed, service_tier, inference_geo)
        schedule = self._schedules.get(key)
        if schedule is None:
            schedule = self._schedules[key] = self._schedule(*key)
        entry = schedule[1][bisect_right(schedule[0], at_ms) - 1]
        if type(entry) is Rates:
            return entry
        return _rates_of(entry, at_ms, prompt_tokens)

    def cost(
        self,
        usage: Usage,
        model: str,
        at_ms: int,
        *,
        speed: str | None = None,
        service_tier: str | None = None,
        inference_geo: str | None = None,
    ) -> Cost:
        """What one message cost, by its own usage; the arguments are those of `rates`.

        Raises:
            UnknownModelError: as `rates`; or it searched the web, and no price of that is known.
        """
        rates = self.rates(
            model,
            at_ms,
            prompt_tokens=usage.prompt_tokens,
            speed=speed,
            service_tier=service_tier,
            inference_geo=inference_geo,
        )
        return cost_of(usage, rates)

    def _schedule(
        self, model: str, speed: str | None, service_tier: str | None, geo: str | None
    ) -> _Schedule:
        if model == SYNTHETIC_MODEL:
            return _Schedule([_EVER], [FREE])
        request = read_request(model, speed, service_tier, geo)
        resolver = Resolver(published(), self._user)
        starts = [_EVER, *resolver.edges()]
        return _Schedule(starts, [_entry_at(resolver, request, start) for start in starts])


def _entry_at(resolver: Resolver, request: Request, at_ms: int) -> _Entry:
    try:
        quote = resolver.quote(request, at_ms)
    except UnknownModelError as error:
        return _Unpriced(str(error))
    return quote if isinstance(quote, Elsewhere) else _entry(quote)


def _entry(quote: Quote) -> Rates | _Bands:
    card = quote.card
    bands = [(band.over, Rates(*band[1:], card.web_search, quote.source)) for band in card.bands]
    return bands[0][1] if len(bands) == 1 else _Bands(tuple(reversed(bands)))


def _rates_of(entry: _Entry, at_ms: int, prompt_tokens: int) -> Rates:
    match entry:
        case _Unpriced(reason):
            raise UnknownModelError(reason)
        case Elsewhere(request):
            quote = ask(request.name.model, at_ms, request.speed, request.service_tier)
            return _rates_of(_entry(quote), at_ms, prompt_tokens)
        case _Bands():
            return entry.rates(prompt_tokens)
        case _:
            return entry
