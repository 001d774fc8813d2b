"""What parts of a request's prompt cost, and what they would have cost in a shorter one."""

from functools import cache
from typing import Final

from token_tracking.efficiency.attribution import Message
from token_tracking.errors import UnknownModelError
from token_tracking.pricing import PriceBook, Rates

_SHORT: Final = 100_000
"""No list has a step of its prices below this: the first stand at 128,000 and 200,000 tokens."""


def paid(request: Message, start: int, end: int, rates: Rates | None = None) -> int:
    """What the positions from `start` to `end` of its prompt cost, in pico-USD: read, written for
    an hour, written for five minutes, plain, in this order. 0 where no price is known. At other
    `rates` than its own where they are given."""
    usage = request.usage
    rates = rates or request.rates
    if rates is None:
        return 0
    if end <= usage.cache_read_tokens:
        return rates.cache_read * max(0, end - start)
    pico = at = 0
    for tokens, rate in (
        (usage.cache_read_tokens, rates.cache_read),
        (usage.cache_write_1h_tokens, rates.cache_write_1h),
        (usage.cache_write_5m_tokens, rates.cache_write_5m),
        (usage.input_tokens, rates.input),
    ):
        pico += rate * max(0, min(end, at + tokens) - max(start, at))
        at += tokens
    return pico


def write_rate(request: Message, rates: Rates) -> int:
    """What it costs to write a token to the cache as this request did, in pico-USD."""
    if request.usage.cache_write_1h_tokens:
        return rates.cache_write_1h
    return rates.cache_write_5m if request.usage.cache_write_5m_tokens else rates.input


def rest_saved(request: Message, start: int, end: int, rates: Rates) -> int:
    """What its prompt without the positions from `start` to `end` costs less at `rates` than at its
    own, in pico-USD."""
    if rates is request.rates:
        return 0
    size = request.usage.prompt_tokens
    return sum(
        paid(request, *part) - paid(request, *part, rates) for part in ((0, start), (end, size))
    )


def rates_at(request: Message, prompt_tokens: int) -> Rates:
    """The rates that a request with a price would have had with a prompt of so many tokens: some
    models cost more where the prompt is long. Its own rates have to be the published ones of its
    model and date, or the same multiple of each (a place, a speed); if they are not, such as those
    of a user's own prices, they are taken to hold for any length."""
    rates = request.rates
    assert rates is not None
    own = request.usage.prompt_tokens
    if request.model is None or max(own, prompt_tokens) <= _SHORT:
        return rates
    try:
        now = _book().rates(request.model, request.at, prompt_tokens=own)
        then = _book().rates(request.model, request.at, prompt_tokens=prompt_tokens)
    except UnknownModelError:
        return rates
    own_rates, published = _each(rates), _each(now)
    if (
        now is then
        or not published[0]
        or any(
            mine * published[0] != theirs * own_rates[0]
            for mine, theirs in zip(own_rates, published, strict=True)
        )
    ):
        return rates
    plain, output, read, short, long = (each * own_rates[0] // published[0] for each in _each(then))
    return Rates(plain, output, read, short, long, rates.web_search, rates.source)


def _each(rates: Rates) -> tuple[int, int, int, int, int]:
    return (
        rates.input,
        rates.output,
        rates.cache_read,
        rates.cache_write_5m,
        rates.cache_write_1h,
    )


@cache
def _book() -> PriceBook:
    return PriceBook()
