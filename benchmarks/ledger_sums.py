"""The sums that a ledger keeps, made from its rows at once."""

import sqlite3
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True)
class Summed:
    """A table of sums: those of the columns that its `source` has too, by `keys`, each of which is
    a column of its own and what it is in the source; `others` are columns that are no such sums.
    `has_all` says that the row -1 of projects has all of them together."""

    table: str
    source: str
    keys: dict[str, str]
    others: dict[str, str] = field(default_factory=dict[str, str])
    has_all: bool = False


_OF_SESSION: Final = " AS each JOIN sessions AS s ON s.id = each.session_id"
_OF_LABEL: Final = " JOIN labels AS l ON l.id = each.label_id JOIN tools AS t ON t.id = l.tool_id"
_SHARES: Final = f"share_quarters{_OF_SESSION}{_OF_LABEL}"
_PROJECT: Final = {"project_id": "COALESCE(s.project_id, 0)"}
_SAME_PROJECT: Final = {"project_id": "each.project_id"}
_BLOCK: Final = {"block": "each.quarter / 24"}
_SAME_BLOCK: Final = {"block": "each.block"}
_DAY: Final = {"day": "each.quarter / 96"}
_MODEL: Final = {"model": "each.model"}
_LABEL_ID: Final = {"label_id": "each.label_id"}
_URI_ID: Final = {"uri_id": "each.uri_id"}
_TOOL_ID: Final = {"tool_id": "each.tool_id"}
_FINDING: Final = {"kind": "each.kind", "subject_id": "each.subject_id"}
_SORT: Final = (
    "MIN(CASE WHEN n.name LIKE 'skill:%' THEN 2 WHEN n.name LIKE 'agent:%' THEN 3 ELSE 1 END)"
)
_ENDS: Final = {"first_block": "MIN(each.block)", "last_block": "MAX(each.block)"}
_FOUND: Final = {
    "findings": "COUNT(*)",
    "measured": "SUM(each.is_measured)",
    "sessions": "SUM(each.is_first)",
}
_SUMMED: Final = (
    Summed("quarters", "totals AS each", {"quarter": "each.quarter"} | _MODEL),
    Summed("total_days", f"totals{_OF_SESSION}", _PROJECT | _DAY | _MODEL, has_all=True),
    Summed("fact_days", f"fact_quarters{_OF_SESSION}", _PROJECT | _DAY, has_all=True),
    Summed("label_blocks", _SHARES, _PROJECT | _LABEL_ID | _BLOCK, has_all=True),
    Summed("label_sums", "label_blocks AS each", _SAME_PROJECT | _LABEL_ID, _ENDS),
    Summed(
        "uri_blocks",
        f"label_blocks AS each{_OF_LABEL} WHERE l.uri_id > 0",
        _SAME_PROJECT | {"uri_id": "l.uri_id"} | _SAME_BLOCK,
    ),
    Summed(
        "uri_sums",
        "uri_blocks AS each JOIN names AS n ON n.id = each.uri_id",
        _SAME_PROJECT | _URI_ID,
        _ENDS | {"sort": _SORT},
    ),
    Summed(
        "tool_blocks",
        f"label_blocks AS each{_OF_LABEL}",
        _SAME_PROJECT | _SAME_BLOCK | {"tool_id": "l.tool_id"},
    ),
    Summed("tool_blocks", "tool_blocks AS each", _SAME_PROJECT | _SAME_BLOCK | {"tool_id": "0"}),
    Summed(
        "tool_days", "tool_blocks AS each", _SAME_PROJECT | {"day": "each.block / 4"} | _TOOL_ID
    ),
    Summed("tool_sums", "tool_days AS each", _SAME_PROJECT | _TOOL_ID),
    Summed(
        "finding_days",
        f"findings{_OF_SESSION}",
        _PROJECT | {"day": "each.at / 86400000"} | _FINDING,
        _FOUND,
        has_all=True,
    ),
    Summed("finding_sums", "finding_days AS each", _SAME_PROJECT | _FINDING),
)


def sum_up(connection: sqlite3.Connection) -> None:
    """All that is derived from the rows, as the store does it."""
    for summed in _SUMMED:
        _insert_sums(connection, summed.table, summed.source, summed.keys, summed.others)
        if summed.has_all:
            every = {name: f"each.{name}" for name in summed.keys} | {"project_id": "-1"}
            _insert_sums(connection, summed.table, f"{summed.table} AS each", every, {})
    connection.execute(
        "INSERT INTO session_days SELECT DISTINCT quarter / 96, session_id FROM totals"
    )
    connection.execute("UPDATE revisions SET value = value + 1")


def _insert_sums(
    connection: sqlite3.Connection,
    table: str,
    source: str,
    keys: dict[str, str],
    others: dict[str, str],
) -> None:
    rows = connection.execute(f"PRAGMA table_info({table})").fetchall()
    columns = [str(row[1]) for row in rows]
    values = [(keys | others).get(name, f"SUM(each.{name})") for name in columns]
    by = ", ".join(
        str(columns.index(name) + 1) for name in keys if not keys[name].lstrip("-").isdigit()
    )
    connection.execute(
        f"INSERT INTO {table} ({', '.join(columns)})"
        f" SELECT {', '.join(values)} FROM {source} GROUP BY {by}"
    )
