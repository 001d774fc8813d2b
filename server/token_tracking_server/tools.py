"""The tools. Every word here is paid for by each conversation: they are few, and short."""

from typing import Annotated, Any, Final, Literal

from mcp.server.mcpserver.tools import Tool
from mcp.types import ToolAnnotations
from pydantic import Field

from token_tracking_server.ledger import Ledger
from token_tracking_server.strict import StrictTool

Grouping = Literal["day", "week", "month", "block", "model", "project", "session"]
_READS: Final = ToolAnnotations(read_only_hint=True)
_ADDS: Final = ToolAnnotations(destructive_hint=False, idempotent_hint=True)


def create_tools(ledger: Ledger) -> list[Tool]:
    """The tools over a ledger."""

    async def session_report(
        session_id: Annotated[
            str, Field(description="current, latest, or an id or its beginning")
        ] = "current",
    ) -> str:
        """What a session cost, what caching saved, its tokens, models and tools."""
        return await ledger.ask(lambda about: about.session(session_id))

    async def efficiency_report(
        period: Annotated[
            str, Field(description="today, 7d, 30d, all, or FROM..TO as dates (TO excluded)")
        ] = "all",
        by: Grouping = "day",
    ) -> str:
        """Cost, cache savings and tokens of all sessions in a period, in rows."""
        return await ledger.ask(lambda about: about.report(period, by))

    async def track_usage(
        message_id: Annotated[str, Field(description="The response's id (msg_...)")],
        usage: Annotated[
            dict[str, Any], Field(description="The response's usage, as the API returned it")
        ],
        model: str,
        session_id: str | None = None,
        timestamp: Annotated[str | None, Field(description="ISO 8601; default: now")] = None,
        category: str | None = None,
    ) -> str:
        """Record an API response that Claude Code's transcripts lack. Repeats count once."""
        told = {
            "model": model,
            "session_id": session_id,
            "timestamp": timestamp,
            "category": category,
        }
        return await ledger.ask(lambda about: about.track(message_id, usage, told))

    return [
        StrictTool.of(session_report, "Session report", _READS),
        StrictTool.of(efficiency_report, "Efficiency report", _READS),
        StrictTool.of(track_usage, "Track usage", _ADDS),
    ]
