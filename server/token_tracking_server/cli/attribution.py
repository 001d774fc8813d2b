"""Attribution as the fields that JSON gives."""

from typing import Any

from msgspec.structs import asdict

from token_tracking.efficiency.attribution import Attribution, ItemShare


def attribution_fields(attribution: Attribution) -> dict[str, Any]:
    """What the prompts of a session's own requests cost, and which items carried it. Money is in
    USD to the last digit, of the requests that have a price: the items add up to it exactly."""
    return {
        "prompt_tokens": attribution.prompt_tokens,
        "prompt_cost_usd": attribution.prompt_cost_usd,
        "items": [_item(item) for item in attribution.items],
        "attribution": asdict(attribution.findings),
    }


def _item(item: ItemShare) -> dict[str, Any]:
    return {
        "id": item.id,
        "kind": item.kind,
        "name": item.name,
        "server": item.server,
        "uri": item.uri,
        "tokens": item.tokens,
        "requests": item.requests,
        "prompt_tokens": item.prompt_tokens,
        "prompt_cost_usd": item.prompt_cost_usd,
        "basis": item.basis,
    }
