"""The rows of tools and labels, by what they are."""

from collections.abc import Iterable
from typing import Any, TypeVar

import aiosqlite

from token_tracking.shares import ShareLabel, uri_stem

_Tool = tuple[str, int, int, int, str]
_Key = TypeVar("_Key", str, tuple[int, int], _Tool)


class LabelIds:
    """Within one transaction that holds the write lock: labels that are new get a row. `known`
    are those of earlier ones; `rows` all that were asked for."""

    def __init__(
        self, connection: aiosqlite.Connection, queries: Any, known: dict[ShareLabel, int]
    ) -> None:
        self._db = connection
        self._sql = queries
        self._known = known
        self.names: dict[str, int] = {}
        self.new: dict[ShareLabel, int] = {}
        self.rows: dict[ShareLabel, int] = {}

    async def find(self, labels: Iterable[ShareLabel], texts: Iterable[str]) -> None:
        """Have a row for each label and for each other text (`names`)."""
        wanted, known = set(labels), self._known
        self.rows = {label: known[label] for label in wanted if label in known}
        new = sorted(wanted - self.rows.keys(), key=_order)
        parts = {part for each in new for part in (each.name, each.server, each.uri)}
        agents = {each.agent for each in new if each.agent}
        await self._find_names({*texts, *agents, *(part for part in parts if part is not None)})
        tools = await self._find_tools({self._tool(label) for label in new})
        keys = {label: (tools[self._tool(label)], self._name(label.uri)) for label in new}
        rows = await self._find_labels(set(keys.values()))
        self.new = {label: rows[key] for label, key in keys.items()}
        self.rows |= self.new

    def _name(self, name: str | None) -> int:
        return 0 if name is None else self.names[name]

    def _tool(self, label: ShareLabel) -> _Tool:
        return (
            label.kind,
            self._name(label.name),
            self._name(label.server),
            self._name(label.agent or None),
            uri_stem(label.uri),
        )

    async def _find_names(self, names: set[str]) -> None:
        await self._sql.clear_wanted(self._db)
        await self._sql.want(self._db, [{"name": name} for name in sorted(names)])
        async for name, name_id in self._sql.name_ids(self._db):
            self.names[name] = name_id
        last: int = await self._sql.last_name_id(self._db)
        rows = _numbered(names - self.names.keys(), last)
        self.names.update(rows)
        await self._sql.insert_name(
            self._db, [{"id": row, "name": name} for name, row in rows.items()]
        )

    async def _find_tools(self, tools: set[_Tool]) -> dict[_Tool, int]:
        await self._sql.clear_wanted_tools(self._db)
        await self._sql.want_tool(self._db, [_tool_row(tool) for tool in tools])
        found = {tuple(row[:5]): row[5] async for row in self._sql.tool_ids(self._db)}
        last: int = await self._sql.last_tool_id(self._db)
        new = _numbered(tools - found.keys(), last)
        await self._sql.insert_tool(
            self._db, [{"id": row, **_tool_row(tool)} for tool, row in new.items()]
        )
        return found | new

    async def _find_labels(self, labels: set[tuple[int, int]]) -> dict[tuple[int, int], int]:
        rows = [{"tool_id": tool, "uri_id": uri} for tool, uri in labels]
        await self._sql.clear_wanted_labels(self._db)
        await self._sql.want_label(self._db, rows)
        found = {tuple(row[:2]): row[2] async for row in self._sql.label_ids(self._db)}
        last: int = await self._sql.last_label_id(self._db)
        new = _numbered(labels - found.keys(), last)
        await self._sql.insert_label(
            self._db,
            [{"id": row, "tool_id": tool, "uri_id": uri} for (tool, uri), row in new.items()],
        )
        return found | new


def _numbered(new: set[_Key], last: int) -> dict[_Key, int]:
    return {key: row for row, key in enumerate(sorted(new), start=last + 1)}


def _tool_row(tool: _Tool) -> dict[str, Any]:
    return dict(zip(("kind", "name_id", "server_id", "agent_id", "stem"), tool, strict=True))


def _order(label: ShareLabel) -> tuple[str, str, str, str, str]:
    return (label.kind, label.name or "", label.server or "", label.uri or "", label.agent)
