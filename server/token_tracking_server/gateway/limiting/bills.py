"""What requests cost: expected before, billed after."""

from decimal import Decimal
from typing import Final

import msgspec
from msgspec.structs import replace

from token_tracking.errors import UnknownModelError
from token_tracking.extra_usage import ExtraUsage
from token_tracking.pricing import PriceBook
from token_tracking.sources.replies import Reply
from token_tracking.usage import Usage
from token_tracking_server.gateway.exchanges import Answer, Ask
from token_tracking_server.gateway.limiting.asking import Terms

SEEN_BYTES: Final = 3
"""Of an answer's text for a token: more tokens than English text has."""

_EXTRAS: Final = msgspec.json.Decoder(list[ExtraUsage])


class Bill(msgspec.Struct, frozen=True):
    """What an answer was billed as: tokens, and USD; `None` where that is not known. `usage` is
    the sum of its messages. `is_estimated` where one broke off: its output is then a guess."""

    tokens: int | None
    usd: Decimal | None
    usage: Usage | None
    is_estimated: bool = False


def expected_cost(prices: PriceBook, ask: Ask, usage: Usage, terms: Terms) -> Decimal | None:
    """USD at the terms that the request asks for; `None` where no price is known."""
    return _cost(prices, usage, ask.model, ask.call.started_at, terms)


def bill_of(prices: PriceBook, ask: Ask, answer: Answer) -> Bill:
    """What the replies of an answer tell, those of its advisors and compactions with them."""
    told = [(reply, _output_guessed(reply, reply.usage)) for reply in answer.replies if reply.usage]
    if not told:
        return Bill(None, None, None)
    total, tokens = Usage(), 0
    known: Decimal | None = Decimal(0)
    for reply, usage in told:
        total += usage
        for part, model in [(usage, reply.model or ask.model), *_extras(reply, ask)]:
            tokens += part.total_tokens
            cost = _cost(prices, part, model, ask.call.started_at, _terms(reply))
            known = None if cost is None or known is None else known + cost
    return Bill(tokens, known, total, not all(reply.is_complete for reply, _ in told))


def _output_guessed(reply: Reply, usage: Usage) -> Usage:
    """What the start of a message tells of its output is a lower bound, for Anthropic's 1 token:
    of one that broke off, what was seen of it is counted."""
    if reply.is_complete:
        return usage
    seen = (reply.text_bytes + reply.thinking_bytes) // SEEN_BYTES
    return replace(usage, output_tokens=max(usage.output_tokens, seen))


def _terms(reply: Reply) -> Terms:
    return Terms(reply.speed, reply.service_tier, reply.inference_geo)


def _extras(reply: Reply, ask: Ask) -> list[tuple[Usage, str | None]]:
    extras = _EXTRAS.decode(reply.extra) if reply.extra else []
    return [(each.usage, each.model or reply.model or ask.model) for each in extras]


def _cost(
    prices: PriceBook, usage: Usage, model: str | None, at_ms: int, terms: Terms
) -> Decimal | None:
    if model is None:
        return None
    try:
        cost = prices.cost(
            usage,
            model,
            at_ms,
            speed=terms.speed,
            service_tier=terms.service_tier,
            inference_geo=terms.inference_geo,
        )
    except UnknownModelError:
        return None
    return cost.usd
