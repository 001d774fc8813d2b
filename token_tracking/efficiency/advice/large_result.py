"""Large results that were carried for long."""

from collections.abc import Container, Iterator
from typing import Final

from token_tracking.efficiency.advice.carriage import Carriage, scaled
from token_tracking.efficiency.advice.kinds import FLOOR_PICO, LARGE_RESULT
from token_tracking.efficiency.advice.quarters import ByQuarter
from token_tracking.efficiency.advice.subjects import LARGE_TOKENS
from token_tracking.efficiency.attribution import Attribution, ItemShare
from token_tracking.shares import Finding

_TOOL: Final = "tool"


def large_results(
    attribution: Attribution, carriage: Carriage, apart: Container[str]
) -> Iterator[Finding]:
    """What it cost to carry the part above `LARGE_TOKENS` of each result, after the request that
    it entered with: by tool, when it was carried. The items in `apart`, by their ids, are the
    matter of another kind."""
    found = ByQuarter(LARGE_RESULT)
    for item in attribution.items:
        if item.kind == _TOOL and (item.tokens or 0) > LARGE_TOKENS and item.id not in apart:
            _add(found, item, carriage)
    return found.findings()


def _add(found: ByQuarter, item: ItemShare, carriage: Carriage) -> None:
    if item.cost_pico is None or item.first_pico is None or item.tokens is None:
        return
    above = item.tokens - LARGE_TOKENS
    if (item.cost_pico - item.first_pico) * above // item.tokens <= FLOOR_PICO:
        return
    parts = carriage.parts(item)
    picos = scaled([part.carry for part in parts], above, item.tokens)
    for number, (part, pico) in enumerate(zip(parts, picos, strict=True)):
        is_first = not number
        tokens = item.tokens if is_first else 0
        found.add(tool_of(item), part.at, pico, tokens, int(is_first), item.id)


def tool_of(item: ItemShare) -> str:
    """The tool that a result is of, after its server if it has one."""
    return f"{item.server}: {item.name}" if item.server else item.name or ""
