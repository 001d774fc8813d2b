"""What parts of a request's prompt cost."""

from token_tracking.efficiency.attribution import Message
from token_tracking.pricing import Rates


def paid(request: Message, start: int, end: int) -> int:
    """What the positions from `start` to `end` of its prompt cost, in pico-USD: read, written for
    an hour, written for five minutes, plain, in this order. 0 where no price is known."""
    usage, rates = request.usage, request.rates
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
