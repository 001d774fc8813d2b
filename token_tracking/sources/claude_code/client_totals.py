"""The client's own totals of a session: `cost-state` lines, which newer files end with."""

from decimal import Decimal, InvalidOperation
from typing import Annotated

import msgspec
from msgspec import DecodeError, Meta, Struct

from token_tracking.reading import ClientTotal
from token_tracking.sources.claude_code.lines import Line

_Count = Annotated[int, Meta(ge=0, le=10**15)]
_PICO = 10**12
_MOST_USD = 10**6


class _ModelTotal(Struct, rename="camel"):
    input_tokens: _Count = 0
    output_tokens: _Count = 0
    cache_read_input_tokens: _Count = 0
    cache_creation_input_tokens: _Count = 0
    web_search_requests: _Count = 0
    cost_usd: Decimal = msgspec.field(default=Decimal(0), name="costUSD")


_decode = msgspec.json.Decoder(dict[str, _ModelTotal]).decode


def read_client_totals(line: Line) -> list[ClientTotal]:
    """One total a model; none where the line has another form."""
    try:
        totals = _decode(line.modelUsage)
        return [_client_total(line.sessionId or "", *total) for total in totals.items()]
    except (DecodeError, InvalidOperation, OverflowError, ValueError):
        return []


def _client_total(session: str, model: str, total: _ModelTotal) -> ClientTotal:
    if not 0 <= total.cost_usd < _MOST_USD:
        raise OverflowError(total.cost_usd)
    return ClientTotal(
        session_id=session,
        model=model.replace("\x00", "\ufffd"),
        input_tokens=total.input_tokens,
        output_tokens=total.output_tokens,
        cache_read_tokens=total.cache_read_input_tokens,
        cache_write_tokens=total.cache_creation_input_tokens,
        web_search_requests=total.web_search_requests,
        cost_pico=round(total.cost_usd * _PICO),
    )
