"""`token-tracking session`."""

import os
from typing import Any

from token_tracking.metrics import JitFigures, SessionReport
from token_tracking_server.cli import output
from token_tracking_server.cli.attribution import attribution_fields
from token_tracking_server.cli.ledger import bring_up_to_date, opened
from token_tracking_server.cli.rows import iso, sums_fields
from token_tracking_server.session_choice import choose_session
from token_tracking_server.settings import Settings


async def run(settings: Settings, session_id: str, *, as_json: bool, ingest: bool) -> int:
    """Bring the ledger up to date, and report one session."""
    async with opened(settings) as (store, metrics):
        if ingest:
            await bring_up_to_date(store, settings)
        choice = await choose_session(store, session_id, os.environ, settings.claude_dirs)
        data = await metrics.get_session_data(choice.session_id)
        zone = metrics.zone
        told = await metrics.get_session_attribution(choice.session_id) if as_json else None
    if told is not None:
        times = {"first_at": iso(data.first_at, zone), "last_at": iso(data.last_at, zone)}
        output.json(
            {
                "session_id": data.session_id,
                "project": data.project,
                **times,
                **_rest(data),
                **attribution_fields(told),
            }
        )
    else:
        from token_tracking_server.cli.tables import print_session

        print_session(data, zone)
        if data.jit is not None:
            from token_tracking_server.cli.jit import print_jit

            print_jit(data.jit)
    return 0


def _rest(data: SessionReport) -> dict[str, Any]:
    return {
        **sums_fields(data.sums),
        "models": {model: sums_fields(sums) for model, sums in data.models.items()},
        "tools": [
            {
                "name": tool.name,
                "server": tool.server,
                "calls": tool.calls,
                "result_bytes": tool.result_bytes,
            }
            for tool in data.tools
        ],
        "inherited_messages": data.inherited,
        "just_in_time": None if data.jit is None else _jit(data.jit),
    }


def _jit(jit: JitFigures) -> dict[str, Any]:
    """Tokens as the session's model bills them; percent of the baseline; USD."""
    return {
        "basis": jit.basis,
        "error_p95": jit.error_p95,
        "library_documents": jit.library_documents,
        "library_tokens": jit.library_tokens,
        "loaded_tokens": jit.loaded_tokens,
        "overhead_tokens": jit.overhead_tokens,
        "searches": jit.searches,
        "unsized_loads": jit.unsized_loads,
        "rough_loads": jit.rough_loads,
        "requests": jit.requests,
        "baseline_tokens": jit.baseline_tokens,
        "tokens_saved": jit.tokens_saved,
        "efficiency_percent": jit.efficiency,
        "saved_usd": output.number(jit.saved_usd),
        "unpriced_requests": jit.unpriced_requests,
        "unpriced": jit.unpriced,
        "fits_window": jit.fits_window,
        "over_window_requests": jit.over_window_requests,
        "loads": [
            {
                "uri": load.uri or None,
                "category": load.category,
                "documents": load.documents,
                "tokens": load.tokens,
                "method": load.method,
                "origin": load.origin,
                "removed": load.left_at is not None,
            }
            for load in jit.loads
        ],
    }
