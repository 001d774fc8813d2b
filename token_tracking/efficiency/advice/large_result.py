"""Large results that were carried for long."""

from collections.abc import Container, Iterator
from typing import Final

from token_tracking.efficiency.advice.kinds import LARGE_RESULT
from token_tracking.efficiency.advice.subjects import LARGE_TOKENS
from token_tracking.efficiency.attribution import Attribution, ItemShare
from token_tracking.shares import Finding

_TOOL: Final = "tool"


def large_results(attribution: Attribution, apart: Container[str]) -> Iterator[Finding]:
    """What it cost to carry the part above `LARGE_TOKENS` of each result, after the request that
    it entered with. The items in `apart`, by their ids, are the matter of another kind."""
    for item in attribution.items:
        if item.kind == _TOOL and (item.tokens or 0) > LARGE_TOKENS and item.id not in apart:
            found = _finding(item)
            if found is not None:
                yield found


def _finding(item: ItemShare) -> Finding | None:
    if item.cost_pico is None or item.first_pico is None or item.entered_at is None:
        return None
    assert item.tokens is not None
    above = item.tokens - LARGE_TOKENS
    pico = (item.cost_pico - item.first_pico) * above // item.tokens
    if pico <= 0:
        return None
    return Finding(
        kind=LARGE_RESULT,
        subject=f"{item.server}: {item.name}" if item.server else item.name or "",
        at=item.entered_at,
        pico=pico,
        tokens=item.tokens,
        item=item.id,
    )
