"""A ledger as text, row by row: two ledgers are the same if these are."""

import sqlite3
from pathlib import Path
from typing import Any

import aiosqlite

from token_tracking.shares import FACT_FIELDS, SHARE_FIELDS
from token_tracking.store import TokenStore
from token_tracking.store.records import SUM_FIELDS

_LABEL = "t.kind, tool.name, server.name, uri.name, agent.name"
_OF_LABEL = (
    "JOIN labels AS l ON l.id = {} JOIN tools AS t ON t.id = l.tool_id"
    " LEFT JOIN names AS tool ON tool.id = t.name_id"
    " LEFT JOIN names AS server ON server.id = t.server_id"
    " LEFT JOIN names AS uri ON uri.id = l.uri_id"
    " LEFT JOIN names AS agent ON agent.id = t.agent_id"
)
_TABLES = {
    "messages": "SELECT l.*, parent.key FROM ledger AS l JOIN messages AS m ON m.key = l.key"
    " LEFT JOIN messages AS parent ON parent.id = m.parent_id ORDER BY l.key",
    "visible": "SELECT key, text_bytes, thinking_bytes, extra FROM messages ORDER BY key",
    "placements": "SELECT m.key, s.session_id, p.at, cwd.name, branch.name, parent.key"
    " FROM placements AS p JOIN messages AS m ON m.id = p.message_id"
    " JOIN sessions AS s ON s.id = p.session_id LEFT JOIN names AS cwd ON cwd.id = p.cwd_id"
    " LEFT JOIN names AS branch ON branch.id = p.branch_id"
    " LEFT JOIN messages AS parent ON parent.id = p.parent_id ORDER BY m.key, s.session_id",
    "sessions": "SELECT s.session_id, s.born, s.first_at, s.last_at, project.name, s.project_at"
    " FROM sessions AS s LEFT JOIN names AS project ON project.id = s.project_id"
    " ORDER BY s.session_id",
    "items": "SELECT i.key, i.kind, tool.name, server.name, uri.name, i.bytes, i.input_bytes,"
    " m.key, a.key, i.position, i.detail FROM items AS i"
    " LEFT JOIN names AS tool ON tool.id = i.name_id"
    " LEFT JOIN names AS server ON server.id = i.server_id"
    " LEFT JOIN names AS uri ON uri.id = i.uri_id LEFT JOIN messages AS m ON m.id = i.message_id"
    " LEFT JOIN messages AS a ON a.id = i.after_id ORDER BY i.key",
    "openings": "SELECT o.item_key, s.session_id FROM openings AS o"
    " JOIN sessions AS s ON s.id = o.session_id ORDER BY o.item_key, s.session_id",
    "client_totals": "SELECT s.session_id, t.model, t.input_tokens, t.output_tokens,"
    " t.cache_read_tokens, t.cache_write_tokens, t.web_search_requests, t.cost_pico"
    " FROM client_totals AS t JOIN sessions AS s ON s.id = t.session_id ORDER BY 1, 2",
    "loads": "SELECT s.session_id, l.at, l.answer, l.kind, uri.name, l.category, l.tokens,"
    " l.overhead_tokens, l.method, l.tool_use_id, lib.fingerprint, lib.tokens, lib.at"
    " FROM loads AS l JOIN sessions AS s ON s.id = l.session_id"
    " JOIN names AS uri ON uri.id = l.uri_id LEFT JOIN libraries AS lib ON lib.id = l.library_id"
    " ORDER BY 1, 2, 3, 5, 10",
    "libraries": "SELECT fingerprint, documents, tokens, overhead_tokens, method, at"
    " FROM libraries ORDER BY 1, 2, 3, 4, 5",
    "totals": "SELECT s.session_id, t.quarter, t.model, t.messages, t.partial_messages,"
    " t.unpriced_messages, t.tool_uses, t.input_tokens, t.output_tokens, t.cache_read_tokens,"
    " t.cache_write_5m_tokens, t.cache_write_1h_tokens, t.cost_pico, t.no_cache_pico,"
    " t.write_premium_pico FROM totals AS t JOIN sessions AS s ON s.id = t.session_id"
    " ORDER BY 1, 2, 3",
    "quarters": "SELECT * FROM quarters ORDER BY quarter, model",
    "total_days": "SELECT project.name, t.project_id < 1 AS apart, t.project_id = -1 AS every,"
    " t.day, t.model, t.messages, t.partial_messages, t.unpriced_messages, t.tool_uses,"
    " t.input_tokens, t.output_tokens, t.cache_read_tokens, t.cache_write_5m_tokens,"
    " t.cache_write_1h_tokens, t.cost_pico, t.no_cache_pico, t.write_premium_pico"
    " FROM total_days AS t LEFT JOIN names AS project ON project.id = t.project_id"
    " ORDER BY 1, 2, 3, 4, 5",
    "session_days": "SELECT d.day, s.session_id FROM session_days AS d"
    " JOIN sessions AS s ON s.id = d.session_id ORDER BY 1, 2",
    "attributions": "SELECT s.session_id, a.* FROM attributions AS a"
    " JOIN sessions AS s ON s.id = a.session_id ORDER BY 1",
    "item_shares": f"SELECT s.session_id, COALESCE(m.key, i.item), {_LABEL}, i.entered_at,"
    " entered.key, i.requests, i.tokens, i.prompt_tokens, i.cost_pico, i.no_cache_pico,"
    " i.first_pico, i.is_measured, i.has_uri FROM item_shares AS i"
    f" JOIN sessions AS s ON s.id = i.session_id {_OF_LABEL.format('i.label_id')}"
    " LEFT JOIN messages AS m ON m.id = i.message_id"
    " LEFT JOIN messages AS entered ON entered.id = i.entered_with ORDER BY 1, 2",
    "share_quarters": f"SELECT s.session_id, q.quarter, {_LABEL}, q.* FROM share_quarters AS q"
    f" JOIN sessions AS s ON s.id = q.session_id {_OF_LABEL.format('q.label_id')}"
    " ORDER BY 1, 2, 3, 4, 5, 6, 7",
    "fact_quarters": "SELECT s.session_id, f.* FROM fact_quarters AS f"
    " JOIN sessions AS s ON s.id = f.session_id ORDER BY 1, f.quarter",
    "findings": "SELECT s.session_id, subject.name, f.* FROM findings AS f"
    " JOIN sessions AS s ON s.id = f.session_id"
    " JOIN names AS subject ON subject.id = f.subject_id ORDER BY 1, f.number",
    "files": "SELECT path, read_to, lines, malformed_lines, unusable_lines FROM files"
    " ORDER BY path",
}
_ROW_NUMBERS = {"session_row", "label_id", "subject_id"}


_empty: list[bytes] = []


async def empty_ledger(path: Path) -> Path:
    """A ledger with nothing in it. To migrate a database takes longer than most examples."""
    if not _empty:
        await (await TokenStore.open(path)).close()
        _empty.append(path.read_bytes())
    path.write_bytes(_empty[0])
    return path


async def dump(database: Path, *, files: bool = True) -> str:
    """Everything a ledger says, with names for row numbers, in an order of its own."""
    lines: list[str] = []
    async with aiosqlite.connect(database) as connection:
        for table, query in _TABLES.items():
            if table == "files" and not files:
                continue
            async with connection.execute(query) as cursor:
                columns = [column[0] for column in cursor.description]
                # The name of a session comes before its row.
                shown = [
                    index
                    for index, name in enumerate(columns)
                    if name not in _ROW_NUMBERS
                    and (name != "session_id" or index == columns.index(name))
                ]
                rows = await cursor.fetchall()
                lines += [f"{table} {tuple(row[index] for index in shown)!r}" for row in rows]
    return "\n".join(lines)


_SHARES = ", ".join(f"SUM(q.{name})" for name in SHARE_FIELDS)
_FACTS = ", ".join(f"SUM(f.{name})" for name in FACT_FIELDS)
_SUMS = ", ".join(f"SUM(t.{name})" for name in SUM_FIELDS)
_PROJECT = "COALESCE(s.project_id, 0)"
_QUARTERS = (
    "share_quarters AS q JOIN sessions AS s ON s.id = q.session_id"
    " JOIN labels AS l ON l.id = q.label_id"
)
_FACT_QUARTERS = "fact_quarters AS f JOIN sessions AS s ON s.id = f.session_id"
_TOTALS = "totals AS t JOIN sessions AS s ON s.id = t.session_id"
_FINDINGS = "findings AS f JOIN sessions AS s ON s.id = f.session_id"
_FINDING_SUMS = (
    "SUM(f.pico), SUM(f.tokens), SUM(f.count), COUNT(*), SUM(f.is_measured), SUM(f.is_first)"
)
_BLOCKS = "MIN(q.quarter / 24), MAX(q.quarter / 24)"
_OF_URI = f"{_QUARTERS} JOIN tools AS t ON t.id = l.tool_id AND t.stem <> ''"
_SORT = "MIN(CASE t.stem WHEN 'skill:' THEN 2 WHEN 'agent:' THEN 3 ELSE 1 END)"


def _both(key: str, sums: str, tables: str, project: str = _PROJECT) -> list[tuple[str, str, str]]:
    """By project, and of all of them together."""
    return [(f"{project}, {key}", sums, tables), (f"-1, {key}", sums, tables)]


_KEPT_SUMS = {
    "label_blocks": _both("q.label_id, q.quarter / 24", _SHARES, _QUARTERS),
    "label_sums": _both("q.label_id", f"{_SHARES}, {_BLOCKS}", _QUARTERS),
    "uri_blocks": _both("l.uri_id, q.quarter / 24", _SHARES, _OF_URI),
    "uri_sums": _both("l.uri_id", f"{_SHARES}, {_BLOCKS}, {_SORT}", _OF_URI),
    "tool_blocks": [
        *_both("q.quarter / 24, l.tool_id", _SHARES, _QUARTERS),
        *_both("q.quarter / 24, 0", _SHARES, _QUARTERS),
    ],
    "tool_days": [
        *_both("q.quarter / 96, l.tool_id", _SHARES, _QUARTERS),
        *_both("q.quarter / 96, 0", _SHARES, _QUARTERS),
    ],
    "tool_sums": [*_both("l.tool_id", _SHARES, _QUARTERS), *_both("0", _SHARES, _QUARTERS)],
    "finding_sums": _both("f.kind, f.subject_id", _FINDING_SUMS, _FINDINGS),
    "finding_days": _both("f.at / 86400000, f.kind, f.subject_id", _FINDING_SUMS, _FINDINGS),
    "fact_days": _both("f.quarter / 96", _FACTS, _FACT_QUARTERS),
    "total_days": _both("t.quarter / 96, t.model", _SUMS, _TOTALS),
    "session_days": [("t.quarter / 96, t.session_id", "0", "totals AS t")],
}


def broken_sums(database: Path) -> list[str]:
    """The kept sums that are not those of the rows that they sum up, and sessions of which the
    items, the quarters of an hour and the attribution disagree."""
    with sqlite3.connect(database) as connection:
        broken = [
            f"{table} {sorted(kept ^ summed)}"
            for table, parts in _KEPT_SUMS.items()
            if (kept := _kept(connection, table)) != (summed := _summed(connection, parts))
        ]
        lost = connection.execute(
            "SELECT COUNT(*) FROM share_quarters AS q WHERE NOT EXISTS (SELECT 1"
            " FROM fact_quarters AS f WHERE f.session_id = q.session_id"
            " AND f.quarter = q.quarter)"
        ).fetchone()
    connection.close()
    return broken if lost == (0,) else [*broken, f"{lost[0]} quarters without facts"]


def _kept(connection: sqlite3.Connection, table: str) -> set[tuple[Any, ...]]:
    rows = connection.execute(f"SELECT * FROM {table}")
    return {(*row, 0) if table == "session_days" else row for row in rows}


def _summed(
    connection: sqlite3.Connection, parts: list[tuple[str, str, str]]
) -> set[tuple[Any, ...]]:
    found: set[tuple[Any, ...]] = set()
    for key, sums, tables in parts:
        groups = ", ".join(part for part in key.split(", ") if part not in {"-1", "0)", "0"})
        groups = groups.replace("COALESCE(s.project_id", _PROJECT)
        rows = connection.execute(
            f"SELECT {key}, {sums} FROM {tables}" + (f" GROUP BY {groups}" if groups else "")
        )
        size = key.count(",") + 1 - key.count("COALESCE")
        found |= {row for row in rows if any(row[size : size + 7]) or sums == "0"}
    return found
