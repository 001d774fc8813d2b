"""A ledger as text, row by row: two ledgers are the same if these are."""

from pathlib import Path

import aiosqlite

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
    "files": "SELECT path, read_to, lines, malformed_lines, unusable_lines FROM files"
    " ORDER BY path",
}
_ROW_NUMBER = "session_row"


async def dump(database: Path, *, files: bool = True) -> str:
    """Everything a ledger says, with names for row numbers, in an order of its own."""
    lines: list[str] = []
    async with aiosqlite.connect(database) as connection:
        for table, query in _TABLES.items():
            if table == "files" and not files:
                continue
            async with connection.execute(query) as cursor:
                columns = [column[0] for column in cursor.description]
                shown = [index for index, name in enumerate(columns) if name != _ROW_NUMBER]
                rows = await cursor.fetchall()
                lines += [f"{table} {tuple(row[index] for index in shown)!r}" for row in rows]
    return "\n".join(lines)
