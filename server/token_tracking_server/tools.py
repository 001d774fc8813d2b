"""The tools. Every word here is paid for by each conversation: they are few, and short."""

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.tools import Tool
from mcp.types import CallToolResult, ToolAnnotations
from pydantic import Field

from token_tracking_server.callers import Callers
from token_tracking_server.contents import Contents
from token_tracking_server.ledger import Ledger
from token_tracking_server.report_app import TOOL_META, report_result
from token_tracking_server.strict import StrictTool

_READS: Final = ToolAnnotations(read_only_hint=True)
_ADDS: Final = ToolAnnotations(destructive_hint=False, idempotent_hint=True)


def create_tools(ledger: Ledger, contents: Contents, callers: Callers) -> list[Tool]:
    """The tools over a ledger and a library."""
    return [*_ledger_tools(ledger), *_content_tools(contents, callers)]


def _content_tools(contents: Contents, callers: Callers) -> Sequence[Tool]:
    async def search_content(
        query: Annotated[str, Field(description="Words or a question")],
        context: Context[Any, Any],
        category: str | None = None,
        limit: Annotated[int, Field(ge=1, le=30)] = 5,
        max_tokens: Annotated[int, Field(ge=1)] = 1000,
    ) -> str:
        """Find guides, agents and skills in the library: URIs with title, size and matched words.
        Load what you need with load_content."""
        caller = callers.of(context)
        return await contents.ask(
            lambda content: content.search(query, category, limit, max_tokens, caller)
        )

    async def load_content(
        uris: Annotated[
            list[str], Field(description="content://category/id, or with #section for less")
        ],
        context: Context[Any, Any],
        max_tokens: Annotated[int, Field(ge=1)] = 10000,
        again: Annotated[bool, Field(description="Also what you loaded before")] = False,
    ) -> str:
        """Load documents or sections of the library. What does not fit is listed with its URI."""
        caller = callers.of(context)
        return await contents.ask(lambda content: content.load(uris, max_tokens, again, caller))

    tools = [
        StrictTool.of(search_content, "Search content", _READS),
        StrictTool.of(load_content, "Load content", _READS),
    ]
    contents.definitions = [definition(each) for each in tools]
    return tools


def definition(tool: Tool) -> dict[str, Any]:
    """What a host gives a model of a tool."""
    return {
        "name": tool.name,
        "description": tool.description,
        "input_schema": tool.parameters,
    }


def _ledger_tools(ledger: Ledger) -> list[Tool]:

    async def session_report(
        context: Context[Any, Any],
        session_id: Annotated[
            str, Field(description="current, latest, or an id or its beginning")
        ] = "current",
        view: Literal["summary", "items"] = "summary",
    ) -> CallToolResult:
        """What a session cost, what caching saved, its tokens, models, tools and dearest items."""
        from token_tracking_server.report_views import session_view  # noqa: PLC0415 (start-up)

        return await report_result(
            await ledger.ask(lambda about: session_view(about, session_id, view)),
            context,
            lambda: ledger.ask(lambda about: about.session_page(session_id)),
        )

    async def efficiency_report(
        context: Context[Any, Any],
        period: Annotated[
            str, Field(description="today, 7d, 30d, all, or FROM..TO as dates (TO excluded)")
        ] = "all",
        by: Annotated[
            str,
            Field(
                description="day, week, month, block, model, project, session, tool, mcp-server,"
                " skill, agent, category, path, item; for top: tokens, efficiency, carried"
            ),
        ] = "day",
        view: Literal["totals", "snapshot", "trend", "top", "advice"] = "totals",
    ) -> CallToolResult:
        """Cost, cache savings and tokens of all sessions in a period, in rows."""
        from token_tracking_server.report_views import (  # noqa: PLC0415 (start-up)
            period_page,
            period_view,
        )

        return await report_result(
            await ledger.ask(lambda about: period_view(about, period, view, by)),
            context,
            lambda: ledger.ask(lambda about: period_page(about, period, view, by)),
        )

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
        StrictTool.of(session_report, "Session report", _READS, TOOL_META),
        StrictTool.of(efficiency_report, "Efficiency report", _READS, TOOL_META),
        StrictTool.of(track_usage, "Track usage", _ADDS),
    ]
