"""How many bytes a ledger takes for each message and content item."""

import sqlite3
from pathlib import Path
from typing import Any

MESSAGE_BYTES = 400
ITEM_BYTES = 150


def ledger_size(database: Path, messages: int, tool_uses: int) -> dict[str, Any]:
    """The size of a SQLite ledger beside what its messages and items may take, in bytes.

    Items are the rows of the tables that are named after items, or else the tool uses.
    """
    files = [database.with_name(database.name + end) for end in ("", "-wal", "-shm")]
    size = sum(file.stat().st_size for file in files if file.exists())
    with sqlite3.connect(database) as connection:
        rows = _rows(connection)
        pages = _pages(connection)
    connection.close()
    counted = sum(count for table, count in rows.items() if table.rstrip("s").endswith("item"))
    items = counted or tool_uses
    allowed = MESSAGE_BYTES * messages + ITEM_BYTES * items
    return {
        "bytes": size,
        "allowed_bytes": allowed,
        "ratio": size / allowed if allowed else None,
        "met": size <= allowed,
        "messages": messages,
        "items": items,
        "items_counted_in": "the ledger's tables" if counted else "tool uses",
        "tool_uses": tool_uses,
        "rows": rows,
        **pages,
    }


def _rows(connection: sqlite3.Connection) -> dict[str, int]:
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return {
        name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]
        for (name,) in names
        if not name.startswith("sqlite_")
    }


def _pages(connection: sqlite3.Connection) -> dict[str, Any]:
    """Bytes of each table and index, and those that their pages leave unused."""
    try:
        found = connection.execute(
            "SELECT name, sum(pgsize), sum(unused) FROM dbstat GROUP BY name ORDER BY 2 DESC"
        ).fetchall()
    except sqlite3.OperationalError:  # dbstat is an option of SQLite's build
        return {"bytes_by_table": None, "unused_bytes": None}
    return {
        "bytes_by_table": {name: size for name, size, _ in found},
        "unused_bytes": sum(unused for *_, unused in found),
    }
