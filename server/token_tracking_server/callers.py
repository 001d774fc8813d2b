"""Who calls a tool: which conversation, which session of Claude Code, and which of its calls."""

import os
from collections.abc import Mapping
from itertools import count
from typing import Any, Final
from weakref import WeakKeyDictionary

from mcp.server.mcpserver import Context
from msgspec import Struct

from token_tracking_server.settings import SESSION_VARIABLE

_SESSION_HEADER: Final = "x-claude-code-session-id"
_CONNECTION_HEADER: Final = "mcp-session-id"
_LONGEST_ID: Final = 200
_CALL_NAMES: Final = ("tooluseid", "tool_use_id", "toolcallid", "tool_call_id")
"""How hosts end the name of a call's id in `_meta`; Claude Code's is claudecode/toolUseId."""


class Caller(Struct, frozen=True, kw_only=True):
    """`conversation` is `None` where nothing tells one from another; `session_id` and
    `tool_use_id` where the host does not pass them."""

    conversation: str | None = None
    session_id: str | None = None
    tool_use_id: str | None = None


class Callers:
    """Tells who calls, from what the host passes."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        given = os.environ if environment is None else environment
        self._session = _plain_id(given.get(SESSION_VARIABLE))
        self._numbers = count(1)
        self._connections: WeakKeyDictionary[Any, str] = WeakKeyDictionary()

    def of(self, context: Context[Any, Any]) -> Caller:
        """Who made this request."""
        headers = context.headers
        session = self._session if headers is None else _plain_id(headers.get(_SESSION_HEADER))
        if session is not None:
            conversation = session
        elif headers is not None:
            conversation = _plain_id(headers.get(_CONNECTION_HEADER))
        else:
            conversation = self._connection(context)
        return Caller(
            conversation=conversation, session_id=session, tool_use_id=_tool_use_id(context)
        )

    def _connection(self, context: Context[Any, Any]) -> str:
        """Standard input has one client. A server in memory may have several, and only those of
        the older protocol have a connection that lasts."""
        if (context.protocol_version or "") >= "2026":
            return "the client"
        connection = context.session._connection  # pyright: ignore[reportPrivateUsage]
        if connection not in self._connections:
            self._connections[connection] = f"client {next(self._numbers)}"
        return self._connections[connection]


def _tool_use_id(context: Context[Any, Any]) -> str | None:
    meta: Mapping[str, object] = context.request_context.meta or {}
    for name, value in meta.items():
        if name.rpartition("/")[2].lower() in _CALL_NAMES and isinstance(value, str):
            return _plain_id(value)
    return None


def _plain_id(text: str | None) -> str | None:
    """An id, or `None` for what is none: a host's placeholder, or a text that no file holds."""
    text = (text or "").strip()
    if not text or len(text) > _LONGEST_ID or not (text.isascii() and text.isprintable()):
        return None
    return None if text.startswith("${") else text
