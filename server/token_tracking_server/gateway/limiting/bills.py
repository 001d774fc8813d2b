"""What requests cost: expected before, billed after."""

from decimal import Decimal

import msgspec

from token_tracking.errors import UnknownModelError
from token_tracking.extra_usage import ExtraUsage
from token_tracking.pricing import PriceBook
from token_tracking.sources.replies import Reply
from token_tracking.usage import Usage
from token_tracking_server.gateway.exchanges import Answer, Ask

_EXTRAS = msgspec.json.Decoder(list[ExtraUsage])


class Bill(msgspec.Struct, frozen=True):
    """What an answer was billed as: tokens, and USD; `None` where that is not known. `usage` is
    the sum of its messages."""

    tokens: int | None
    usd: Decimal | None
    usage: Usage | None


def expected_cost(prices: PriceBook, ask: Ask, usage: Usage) -> Decimal | None:
    """USD; `None` where no price is known."""
    return _cost(prices, usage, ask.model, ask.call.started_at, None)


def bill_of(prices: PriceBook, ask: Ask, answer: Answer) -> Bill:
    """What the replies of an answer tell, those of its advisors and compactions with them."""
    told = [(reply, reply.usage) for reply in answer.replies if reply.usage is not None]
    if not told:
        return Bill(None, None, None)
    total, tokens = Usage(), 0
    known: Decimal | None = Decimal(0)
    for reply, usage in told:
        total += usage
        for part, model in [(usage, reply.model or ask.model), *_extras(reply, ask)]:
            tokens += part.total_tokens
            cost = _cost(prices, part, model, ask.call.started_at, reply)
            known = None if cost is None or known is None else known + cost
    return Bill(tokens, known, total)


def _extras(reply: Reply, ask: Ask) -> list[tuple[Usage, str | None]]:
    extras = _EXTRAS.decode(reply.extra) if reply.extra else []
    return [(each.usage, each.model or reply.model or ask.model) for each in extras]


def _cost(
    prices: PriceBook, usage: Usage, model: str | None, at_ms: int, reply: Reply | None
) -> Decimal | None:
    if model is None:
        return None
    try:
        cost = prices.cost(
            usage,
            model,
            at_ms,
            speed=None if reply is None else reply.speed,
            service_tier=None if reply is None else reply.service_tier,
            inference_geo=None if reply is None else reply.inference_geo,
        )
    except UnknownModelError:
        return None
    return cost.usd
