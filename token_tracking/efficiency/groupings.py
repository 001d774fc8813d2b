"""What the things that stand in prompts are grouped by."""

from collections.abc import Callable
from typing import Final, NamedTuple, get_args

from token_tracking.efficiency.snapshot import GroupBy
from token_tracking.efficiency.words import (
    REST,
    agent_words,
    kind_words,
    project_words,
    tool_words,
    uri_words,
)
from token_tracking.errors import UnknownMetricError
from token_tracking.shares import AGENT_STEM, SKILL_STEM, ShareLabel, uri_stem

GROUPINGS: Final[tuple[GroupBy, ...]] = get_args(GroupBy)

_LIBRARY: Final = "content://"
_SORTS: Final = {SKILL_STEM: "skill", AGENT_STEM: "agent"}


class Group(NamedTuple):
    """What rows are told apart by, and the fields of the row."""

    key: tuple[str | None, ...]
    fields: dict[str, str | None]
    is_rest: bool = False


Key = Callable[[str | None, ShareLabel], Group]
"""The group of what was carried in a project."""


def check_grouping(by: str) -> GroupBy:
    """The grouping of this name.

    Raises:
        UnknownMetricError: there is none.
    """
    for known in GROUPINGS:
        if known == by:
            return known
    raise UnknownMetricError(
        f"There is no grouping {by[:50]!r}: those that there are: {', '.join(GROUPINGS)}."
    )


def key_of(by: str) -> Key:
    """What a grouping tells apart.

    Raises:
        UnknownMetricError: there is no such grouping, or it is of single items.
    """
    key = _KEYS.get(check_grouping(by))
    if key is None:
        raise UnknownMetricError("Single items are no groups: ask for them by themselves.")
    return key


def category(label: ShareLabel) -> str:
    """The category of what was loaded from a library (that of its first document), else the MCP
    server, else the tool; the kind of what no tool brought."""
    if library := library_category(label):
        return library
    if label.server:
        return label.server
    return (label.name or "tool") if label.kind == "tool" else label.kind


def library_category(label: ShareLabel) -> str | None:
    """The library's category of what was loaded from one: `content://CATEGORY/...`."""
    stem = uri_stem(label.uri)
    return stem.removeprefix(_LIBRARY) or None if stem.startswith(_LIBRARY) else None


def uri_sort(uri: str | None) -> str | None:
    """Whether it is a `path` (or address), a `skill` or an `agent`; `None` where there is none."""
    stem = uri_stem(uri)
    return _SORTS.get(stem, "path") if stem else None


def described(label: ShareLabel) -> dict[str, str | None]:
    """The fields of a label as those of a row."""
    return {
        "kind": label.kind,
        "name": label.name,
        "server": label.server,
        "uri": label.uri,
        "agent": label.agent,
    }


def _by_category(_: str | None, label: ShareLabel) -> Group:
    name = category(label)
    kind = label.kind
    source = "library" if library_category(label) else "mcp-server" if label.server else kind
    words = name if source in {"library", "mcp-server", "tool"} else kind_words(kind)
    fields = {"label": words, "kind": source, "category": name}
    if source == "mcp-server":
        fields["server"] = name
    return Group((source, name), {**fields})


def _by_tool(_: str | None, label: ShareLabel) -> Group:
    name = label.name if label.kind != "answer" else None
    short = ShareLabel(label.kind, name, label.server)
    fields = {"kind": label.kind, "name": name, "server": label.server}
    return Group((label.kind, name, label.server), {"label": tool_words(short), **fields})


def _by_server(_: str | None, label: ShareLabel) -> Group:
    if not label.server:
        return _rest("mcp-server")
    return Group((label.server,), {"label": label.server, "server": label.server})


def _by_path(_: str | None, label: ShareLabel) -> Group:
    if not label.uri or uri_sort(label.uri) != "path":
        return _rest("path")
    return Group((label.uri,), {"label": uri_words(label.uri), "uri": label.uri})


def _by_skill(_: str | None, label: ShareLabel) -> Group:
    if not label.uri or uri_sort(label.uri) != "skill":
        return _rest("skill")
    name = label.uri.removeprefix(SKILL_STEM)
    return Group((name,), {"label": name, "name": name, "uri": label.uri})


def _by_agent(_: str | None, label: ShareLabel) -> Group:
    return Group((label.agent,), {"label": agent_words(label.agent), "agent": label.agent})


def _by_kind(_: str | None, label: ShareLabel) -> Group:
    return Group((label.kind,), {"label": kind_words(label.kind), "kind": label.kind})


def _by_project(project: str | None, _: ShareLabel) -> Group:
    return Group((project,), {"label": project_words(project), "project": project})


def _rest(by: str) -> Group:
    # No other key is of no parts.
    return Group((), {"label": REST[by]}, is_rest=True)


_KEYS: Final[dict[str, Key]] = {
    "agent": _by_agent,
    "category": _by_category,
    "kind": _by_kind,
    "mcp-server": _by_server,
    "path": _by_path,
    "project": _by_project,
    "skill": _by_skill,
    "tool": _by_tool,
}
