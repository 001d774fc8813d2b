"""A session as the fields that JSON gives."""

from datetime import tzinfo
from typing import TYPE_CHECKING, Any

from token_tracking.metrics import JitFigures, SessionReport
from token_tracking_server.cli import output
from token_tracking_server.cli.attribution import attribution_fields, unattributed_fields
from token_tracking_server.cli.rows import iso, sums_fields

if TYPE_CHECKING:
    from token_tracking.efficiency.attribution import Attribution
    from token_tracking.efficiency.session_timeline import Timeline


def session_fields(
    data: SessionReport, told: "Attribution | None", timeline: "Timeline", zone: tzinfo
) -> dict[str, Any]:
    """All of a session: its sums, its items with exact sums, what need not have been paid, and the
    client's own total. `told` is `None` where its prompts cannot be shared out."""
    return {
        "session_id": data.session_id,
        "project": data.project,
        "first_at": iso(data.first_at, zone),
        "last_at": iso(data.last_at, zone),
        **_sums(data),
        **(attribution_fields(told) if told is not None else unattributed_fields(timeline)),
        "not_attributable": timeline.problem,
        "partial_output": timeline.partial_output,
        "findings": timeline.findings,
        "reconciliation": timeline.reconciliation,
    }


def _sums(data: SessionReport) -> dict[str, Any]:
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
