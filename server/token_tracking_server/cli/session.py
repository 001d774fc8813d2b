"""`token-tracking session`."""

import os
from typing import Any

from token_tracking.store import SessionData
from token_tracking_server.cli import output
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
    if as_json:
        times = {"first_at": iso(data.first_at, zone), "last_at": iso(data.last_at, zone)}
        output.json(
            {"session_id": data.session_id, "project": data.project, **times, **_rest(data)}
        )
    else:
        from token_tracking_server.cli.tables import print_session

        print_session(data, zone)
    return 0


def _rest(data: SessionData) -> dict[str, Any]:
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
    }
