"""What a tool call names: its tool or MCP server, and the path, URL or skill it is about."""

import re
from typing import Final, cast

from token_tracking.sources.claude_code.lines import Raw, decode_any

_SUBJECTS: Final[dict[str, tuple[str, str]]] = {
    "Read": ("file_path", ""),
    "Edit": ("file_path", ""),
    "MultiEdit": ("file_path", ""),
    "Write": ("file_path", ""),
    "NotebookRead": ("notebook_path", ""),
    "NotebookEdit": ("notebook_path", ""),
    "Grep": ("path", ""),
    "Glob": ("path", ""),
    "LS": ("path", ""),
    "WebFetch": ("url", ""),
    "Skill": ("skill", "skill:"),
    "Agent": ("subagent_type", "agent:"),
    "Task": ("subagent_type", "agent:"),
    "ReadMcpResourceTool": ("uri", ""),
    "ReadMcpResource": ("uri", ""),
}
"""Tool: the input field that names its subject, and a prefix where that is no path or URI.
From the types of the Claude Agent SDK; a Bash command or a search is text, and is not kept."""

_MCP_PREFIX: Final = "mcp__"
_LONGEST_URI: Final = 1024
_BREAKS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""Control characters and line breaks: they stand in texts, and hardly in a path."""
_LONGEST_NAME: Final = 256
_MOST_SERVERS: Final = 64
_SERVER: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NOT_IN_TOOL_NAMES: Final = re.compile(r"[^A-Za-z0-9_-]")
"""The API takes no other characters in a tool's name."""


_LIBRARY: Final = "content://"
_LOADS: Final = "__load_content"
"""Ends the name of a tool that loads documents from a library: its `uris` are what it is about."""


def split_tool_name(name: str) -> tuple[str | None, str]:
    """The MCP server (or `None`) and the tool of a name such as `mcp__github__list_issues`."""
    if not name.startswith(_MCP_PREFIX):
        return None, name
    server, separator, tool = name.removeprefix(_MCP_PREFIX).partition("__")
    return (server, tool) if separator and server and tool else (None, name)


def server_names(attachment: str | None, added: list[str] | None) -> list[str]:
    """The MCP servers that an attachment brings tools or instructions of, by the names that they
    have in tools' names; none for any other attachment."""
    if not added:
        return []
    if attachment == "deferred_tools_delta":
        named = [split_tool_name(name)[0] for name in added]
    elif attachment == "mcp_instructions_delta":
        named = [_NOT_IN_TOOL_NAMES.sub("_", name) for name in added]
    else:
        return []
    return sorted({name for name in named if name and _SERVER.fullmatch(name)})[:_MOST_SERVERS]


def subject(name: str, arguments: Raw) -> str | None:
    """The path or URI that a call is about; `None` where the tool has none."""
    field = _SUBJECTS.get(name)
    if field is None:
        if name.endswith(_LOADS):
            return _loaded(arguments)
        if not name.startswith(_MCP_PREFIX) or b'"uri"' not in bytes(arguments):
            return None
        field = ("uri", "")
    given = decode_any(arguments)
    value: object = given.get(field[0]) if isinstance(given, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return path_or_uri(field[1] + value) if isinstance(value, str) and value else None


def _loaded(arguments: Raw) -> str | None:
    """The URIs of a call that loads content, with spaces between them; `None` where they are too
    long together."""
    given = decode_any(arguments)
    uris = cast("dict[str, object]", given).get("uris") if isinstance(given, dict) else None
    named = cast("list[object]", uris if isinstance(uris, list) else [uris])
    kept = [_content_uri(uri) for uri in named if isinstance(uri, str)]
    text = " ".join(uri.replace(" ", "%20") for uri in kept if uri)
    return text if 0 < len(text) <= _LONGEST_URI else None


def _content_uri(text: str) -> str | None:
    """A URI; in a library its fragment is the name of a section, and is kept."""
    base, mark, fragment = text.partition("#")
    uri = path_or_uri(base)
    if uri is None or not text.startswith(_LIBRARY):
        return uri
    return uri + mark + fragment if not _BREAKS.search(fragment) else uri


def path_or_uri(text: str | None) -> str | None:
    """A path, or a URI without its query and fragment, which may hold text or secrets; `None` for
    what is longer than either, or has lines."""
    if not text or len(text) > _LONGEST_URI or _BREAKS.search(text):
        return None
    return re.split(r"[?#]", text, maxsplit=1)[0] if "://" in text else text


def word(text: str | None) -> str | None:
    """A name, cut where it is longer than one, without line breaks and control characters."""
    if text is None or (text.isprintable() and len(text) <= _LONGEST_NAME):
        return text
    return "".join(each if each.isprintable() else " " for each in text[:_LONGEST_NAME])
