"""What an answer was billed, from what its response told."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from token_tracking.errors import UnknownModelError
from token_tracking.extra_usage import ExtraUsage
from token_tracking.pricing import PriceBook
from token_tracking.sources.replies import Call, Reply, sighting_of
from token_tracking.usage import UsageEvent
from token_tracking_server.gateway.conversations.values import Bill


def bill_of(
    replies: Sequence[Reply],
    call: Call,
    prices: PriceBook,
    *,
    kind: Literal["answer", "summary"] = "answer",
    is_whole: bool = True,
) -> Bill:
    """The bill of one response, priced as the ledger prices it. One that told no usage, or no known
    model, has no cost: that is not known, and not 0."""
    reply = replies[0] if replies else None
    sighting = None if reply is None or reply.usage is None else sighting_of(reply, call)
    if sighting is None:
        model = (reply and reply.model) or call.model
        return Bill(model=model, kind=kind, is_whole=is_whole)
    return Bill(
        model=sighting.model,
        prompt_tokens=sighting.usage.prompt_tokens,
        completion_tokens=sighting.usage.output_tokens,
        cost=_cost(sighting, prices),
        kind=kind,
        is_whole=is_whole,
    )


def _cost(sighting: UsageEvent, prices: PriceBook) -> int | None:
    """Pico-USD, what was billed beside the message's own counts among them."""
    model, at_ms = sighting.model, sighting.timestamp
    if model is None:
        return None
    terms = {
        "speed": sighting.speed,
        "service_tier": sighting.service_tier,
        "inference_geo": sighting.inference_geo,
    }
    try:
        cost = prices.cost(sighting.usage, model, at_ms, **terms)
        for extra in msgspec.json.decode(sighting.extra or "[]", type=list[ExtraUsage]):
            cost += prices.cost(extra.usage, extra.model or model, at_ms, **terms)
    except UnknownModelError:
        return None
    return cost.pico_usd
