"""Long lists in pages. A cursor says after which entry the next page begins, so entries that come
or go between two pages are neither lost nor listed twice."""

import base64
import binascii
from bisect import bisect_right
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, Generic, NamedTuple, TypeVar

from mcp import MCPError
from mcp.server import MCPServer, ServerRequestContext
from mcp.types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    ListResourcesResult,
    PaginatedRequestParams,
    Resource,
)

from token_tracking.errors import TokenTrackingError
from token_tracking_server.lowlevel import lowlevel

PAGE_SIZE: Final = 50
"""Entries of a page."""

_Entry = TypeVar("_Entry")


class Page(NamedTuple, Generic[_Entry]):
    """Some entries, and the cursor of the page after them; `None` on the last."""

    entries: Sequence[_Entry]
    next_cursor: str | None


def page_of(
    entries: Sequence[_Entry],
    key: Callable[[_Entry], str],
    cursor: str | None,
    *,
    of: str,
    size: int = PAGE_SIZE,
) -> Page[_Entry]:
    """The page that begins after a cursor. `entries` are sorted by `key`, each key once; `of` names
    the list, and a cursor of another list is refused.

    Raises:
        MCPError: the cursor is not one of this list (-32602).
    """
    start = 0 if cursor is None else bisect_right(entries, _key_in(cursor, of), key=key)
    shown = entries[start : start + size]
    more = start + size < len(entries)
    return Page(shown, _cursor(of, key(shown[-1])) if more else None)


def add_paged_resources(
    server: MCPServer[Any], more: Callable[[], Awaitable[Sequence[Resource]]]
) -> None:
    """Let `resources/list` answer in pages: the server's own resources, then those of `more`."""

    async def listed(
        _: ServerRequestContext[Any, Any], params: PaginatedRequestParams
    ) -> ListResourcesResult:
        try:
            found = await more()
        except TokenTrackingError as error:
            raise MCPError(INTERNAL_ERROR, str(error)) from error
        keyed = {f"0 {each.uri}": each for each in await server.list_resources()}
        keyed |= {f"1 {each.uri}": each for each in found}
        page = page_of(sorted(keyed), str, params.cursor, of="resources")
        return ListResourcesResult(
            resources=[keyed[key] for key in page.entries], next_cursor=page.next_cursor
        )

    lowlevel(server).add_request_handler("resources/list", PaginatedRequestParams, listed)


def _cursor(of: str, key: str) -> str:
    return base64.urlsafe_b64encode(f"{of}\n{key}".encode()).decode()


def _key_in(cursor: str, of: str) -> str:
    try:
        text = base64.b64decode(cursor, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        text = ""
    begun, separator, key = text.partition("\n")
    if not separator or begun != of:
        raise MCPError(
            INVALID_PARAMS,
            "This cursor is not of this list. Pass the nextCursor of the page before, as it is, or"
            " no cursor for the first page.",
        )
    return key
