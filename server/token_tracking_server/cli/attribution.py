"""Attribution as the fields that JSON gives."""

from decimal import Decimal
from typing import Any

from msgspec.structs import asdict

from token_tracking.efficiency.attribution import Attribution, ItemShare
from token_tracking.efficiency.session_timeline import Timeline
from token_tracking.pricing import usd


def attribution_fields(attribution: Attribution) -> dict[str, Any]:
    """What the prompts of a session's own requests cost, and which items carried it. Money is in
    USD to the last digit, of the requests that have a price: the items add up to it exactly."""
    return {
        "prompt_tokens": attribution.prompt_tokens,
        "prompt_cost_usd": attribution.prompt_cost_usd,
        "items": [_item(item) for item in attribution.items],
        "attribution": asdict(attribution.findings),
    }


def unattributed_fields(timeline: Timeline) -> dict[str, Any]:
    """The same of a session whose prompts cannot be shared out: no items, which is not none."""
    return {
        "prompt_tokens": timeline.prompt_tokens,
        "prompt_cost_usd": timeline.prompt_cost_usd,
        "items": None,
        "attribution": None,
    }


def _item(item: ItemShare) -> dict[str, Any]:
    return {
        "id": item.id,
        "kind": item.kind,
        "name": item.name,
        "server": item.server,
        "uri": item.uri,
        "agent": item.agent or None,
        "tokens": item.tokens,
        "requests": item.requests,
        "prompt_tokens": item.prompt_tokens,
        "prompt_cost_usd": item.prompt_cost_usd,
        "first_cost_usd": _usd(item.first_pico),
        "no_cache_cost_usd": _usd(item.no_cache_pico),
        "basis": item.basis,
    }


def _usd(pico: int | None) -> Decimal | None:
    return None if pico is None else usd(pico)
