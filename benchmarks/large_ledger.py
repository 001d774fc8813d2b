"""A ledger of any size, made from a small one by copying its rows, in minutes.

Each copy has sessions, messages and items of its own; every `MESSAGES_AN_ERA` messages the work
goes on in new projects with new paths. The copies follow one another over two years, or over as
many days as the ledger has copies, if that is less.
"""

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.ledger_sums import sum_up

DAY_MS: Final = 86_400_000
QUARTER_MS: Final = 900_000
MOST_DAYS: Final = 730
MESSAGES_AN_ERA: Final = 25_000

_KEY: Final = (
    "SUBSTR({0}, 1, INSTR({0}, '_')) || PRINTF('%06d', :copy) || SUBSTR({0}, INSTR({0}, '_'))"
)
"""Ids that begin alike stand together: a copy is appended to each index."""

_SHIFT: Final = "shift.ms + :shift"
_SESSION: Final = "{0} + :copy * :sessions"
_MESSAGE: Final = "{0} + :copy * :messages"
_URI: Final = "{0} + CASE WHEN {0} > 0 THEN :era * :names ELSE 0 END"
_LABEL: Final = "{0} + CASE WHEN labels.uri_id > 0 THEN :era * :labels ELSE 0 END"


@dataclass(frozen=True)
class Copied:
    """A table whose rows are copied. `changes` maps columns to what they become; `session` and
    `label` name the columns that tell a row's shift in time and its label."""

    table: str
    changes: dict[str, str]
    session: str | None = "session_id"
    label: str | None = None


_TIME: Final = f"{{0}} + {_SHIFT}"
_QUARTER: Final = f"{{0}} + ({_SHIFT}) / {QUARTER_MS}"
_COPIED: Final = (
    Copied(
        "sessions",
        {
            "id": _SESSION,
            "session_id": "{0} || '-' || :copy",
            "born": _TIME,
            "first_at": _TIME,
            "last_at": _TIME,
            "project_at": _TIME,
            "project_id": _URI,
        },
        session="id",
    ),
    Copied(
        "messages",
        {
            "id": _MESSAGE,
            "key": _KEY,
            "at": _TIME,
            "session_id": _SESSION,
            "cwd_id": _URI,
            "parent_id": _MESSAGE,
        },
    ),
    Copied(
        "placements",
        {
            "message_id": _MESSAGE,
            "session_id": _SESSION,
            "at": _TIME,
            "cwd_id": _URI,
            "parent_id": _MESSAGE,
        },
    ),
    Copied(
        "items",
        {"key": _KEY, "uri_id": _URI, "message_id": _MESSAGE, "after_id": _MESSAGE},
        session=None,
    ),
    Copied("openings", {"item_key": _KEY, "session_id": _SESSION}),
    Copied("client_totals", {"session_id": _SESSION}),
    Copied("totals", {"session_id": _SESSION, "quarter": _QUARTER}),
    Copied("attributions", {"session_id": _SESSION, "first_at": _TIME, "last_at": _TIME}),
    Copied(
        "item_shares",
        {
            "session_id": _SESSION,
            "message_id": _MESSAGE,
            "item": f"CASE WHEN INSTR({{0}}, '_') > 0 THEN {_KEY} ELSE {{0}} END",
            "label_id": _LABEL,
            "entered_at": _TIME,
            "entered_with": _MESSAGE,
        },
        label="label_id",
    ),
    Copied(
        "share_quarters",
        {"quarter": _QUARTER, "session_id": _SESSION, "label_id": _LABEL},
        label="label_id",
    ),
    Copied("fact_quarters", {"session_id": _SESSION, "quarter": _QUARTER}),
    Copied("findings", {"session_id": _SESSION, "at": _TIME}),
)
_ERAS: Final = (
    # A project, a working directory or a path of the next era has the same name and a number.
    """INSERT INTO names (id, name)
    SELECT id + :era * :names, name || '~' || :era FROM template.names
    WHERE id IN (SELECT uri_id FROM template.labels UNION SELECT uri_id FROM template.items
        UNION SELECT project_id FROM template.sessions UNION SELECT cwd_id FROM template.messages
        UNION SELECT cwd_id FROM template.placements)""",
    """INSERT INTO labels (id, tool_id, uri_id)
    SELECT id + :era * :labels, tool_id, uri_id + :era * :names FROM template.labels
    WHERE uri_id > 0""",
)


def large_ledger(template: Path, target: Path, messages: int) -> int:
    """Fill `target`, a ledger without rows, with at least so many messages, from copies of
    `template`, a ledger in which everything is attributed; how many they are."""
    connection = sqlite3.connect(target, isolation_level=None)
    try:
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-4000000"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("PRAGMA temp_store=MEMORY")
        connection.execute("ATTACH ? AS template", (str(template),))
        found = _fill(connection, messages)
    finally:
        connection.close()
    return found


def _fill(connection: sqlite3.Connection, messages: int) -> int:
    one = _number(connection, "SELECT COUNT(*) FROM template.messages")
    copies = -(-messages // one)
    days = min(MOST_DAYS, copies)
    _spread(connection, days * DAY_MS // copies)
    known = {
        "sessions": _number(connection, "SELECT MAX(id) FROM template.sessions"),
        "messages": _number(connection, "SELECT MAX(id) FROM template.messages"),
        "names": _number(connection, "SELECT MAX(id) FROM template.names"),
        "labels": _number(connection, "SELECT MAX(id) FROM template.labels"),
    }
    connection.execute("BEGIN")
    indexes = _drop_indexes(connection)
    for table in ("names", "tools", "labels"):
        connection.execute(f"INSERT INTO {table} SELECT * FROM template.{table}")
    statements = [_statement(connection, copied) for copied in _COPIED]
    era = 0
    for copy in range(copies):
        given = known | {"copy": copy, "era": copy * one // MESSAGES_AN_ERA}
        given["shift"] = (copy - copies + 1) * (days * DAY_MS // copies)
        if given["era"] > era:
            era = given["era"]
            for statement in _ERAS:
                connection.execute(statement, given)
        for statement in statements:
            connection.execute(statement, given)
    sum_up(connection)
    # To sort the rows of an index once is faster than to look up the place of each.
    for sql in indexes:
        connection.execute(sql)
    connection.execute("COMMIT")
    return copies * one


def _drop_indexes(connection: sqlite3.Connection) -> list[str]:
    """All indexes but those that hold what is unique, and those of labels, which sums need."""
    found = connection.execute(
        "SELECT name, sql FROM main.sqlite_master"
        " WHERE type = 'index' AND sql IS NOT NULL AND sql NOT LIKE 'CREATE UNIQUE%'"
        " AND tbl_name <> 'labels'"
    ).fetchall()
    for name, _ in found:
        connection.execute(f"DROP INDEX {name}")
    return [str(sql) for _, sql in found]


def _number(connection: sqlite3.Connection, query: str) -> int:
    return int(connection.execute(query).fetchone()[0])


def _spread(connection: sqlite3.Connection, span: int) -> None:
    """Let the sessions of the template begin one after the other within `span` milliseconds, up to
    now, whatever they did before: each keeps its own pauses."""
    connection.execute("CREATE TEMP TABLE shift (session_id INTEGER PRIMARY KEY, ms INTEGER)")
    connection.execute(
        f"""INSERT INTO shift
        SELECT id, ((UNIXEPOCH('now') * 1000 - :span
            + :span * (ROW_NUMBER() OVER (ORDER BY COALESCE(first_at, 0)) - 1) / COUNT(*) OVER ()
            - COALESCE(first_at, 0)) / {QUARTER_MS}) * {QUARTER_MS}
        FROM template.sessions""",
        {"span": span},
    )


def _statement(connection: sqlite3.Connection, copied: Copied) -> str:
    table = copied.table
    rows = connection.execute(f"PRAGMA template.table_info({table})").fetchall()
    columns = [str(row[1]) for row in rows]
    values = [copied.changes.get(name, "{0}").format(f"each.{name}") for name in columns]
    joins = ""
    if copied.session is not None:
        joins += f" JOIN shift ON shift.session_id = each.{copied.session}"
    if copied.label is not None:
        joins += f" JOIN template.labels AS labels ON labels.id = each.{copied.label}"
    return (
        f"INSERT INTO {table} ({', '.join(columns)})"
        f" SELECT {', '.join(values)} FROM template.{table} AS each{joins}"
    )
