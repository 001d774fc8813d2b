"""The reports as a page, for hosts that show one (MCP Apps, SEP-1865): the same tools and texts for
all, and for a host that declared the extension the data of the page beside them.

The data stand in the `_meta` of a tool's result. The extension says of `content` that it is for the
model, of `structuredContent` that it is not added to the model's context, and of `_meta` that it is
not meant for it; but hosts without the extension give the model `structuredContent` in place of the
text, and some with it do both. `_meta` reaches the page alone.
https://github.com/modelcontextprotocol/ext-apps/blob/main/specification/2026-01-26/apps.mdx
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from mcp.server import ServerRequestContext
from mcp.server.context import CallNext, HandlerResult
from mcp.server.extension import Extension
from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp.server.mcpserver import Context
from mcp.types import CallToolResult, TextContent

PAGE_URI: Final = "ui://token-tracking/report"
PAGE_TYPE: Final = "text/html;profile=mcp-app"
TOOL_META: Final = {"ui": {"resourceUri": PAGE_URI}}
"""Of a tool whose results the page shows. Without `visibility` the page may call it as well: that
is how it gets another session or period."""

_PAGE_META: Final[dict[str, Any]] = {
    "ui": {
        # No address outside the page: neither data nor scripts, frames or pictures.
        "csp": {
            "connectDomains": [],
            "resourceDomains": [],
            "frameDomains": [],
            "baseUriDomains": [],
        },
        "prefersBorder": True,
    }
}


class ReportApp(Extension):
    """Names the extension to every client. The page is not in `resources/list`: tools name it."""

    identifier = "io.modelcontextprotocol/ui"

    async def announce(
        self, ctx: ServerRequestContext[Any, Any], call_next: CallNext
    ) -> HandlerResult:
        """Middleware that names it to clients of the 2025 revisions too, as their hosts ask for it;
        the SDK does so for 2026-07-28 alone."""
        result = await call_next(ctx)
        if ctx.method != "initialize" or not isinstance(result, dict):
            return result
        known = result["capabilities"]
        extensions = {**known.get("extensions", {}), self.identifier: self.settings()}
        return {**result, "capabilities": {**known, "extensions": extensions}}


def is_page(uri: str) -> bool:
    """Whether a URI is the page's."""
    return uri == PAGE_URI


def read_page() -> list[ReadResourceContents]:
    """The page, without data."""
    # The client waits for the start of the server, not for this.
    from token_tracking_server.dashboard.app_view import app_page  # noqa: PLC0415

    return [ReadResourceContents(app_page(), PAGE_TYPE, _PAGE_META)]


async def report_result(
    text: str,
    context: Context[Any, Any],
    data: Callable[[], Awaitable[dict[str, Any]]],
) -> CallToolResult:
    """A report's text; with the page's data in `_meta` for a client that can show the page."""
    from mcp.server.apps import client_supports_apps  # noqa: PLC0415 (start-up)

    content = [TextContent(type="text", text=text)]
    if not client_supports_apps(context):
        return CallToolResult(content=[*content])
    return CallToolResult(content=[*content], _meta=await data())
