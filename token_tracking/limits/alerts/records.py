"""The rows of alerts in `limits.db`."""

import sqlite3
from pathlib import Path
from typing import Any, Final, NamedTuple

from token_tracking.limits.alerts.values import Alert
from token_tracking.limits.database import reading
from token_tracking.pricing import usd

_COLUMNS: Final = (
    "id, kind, subject, name, period, measure, share, used, most, is_hard, starts_at, resets_at,"
    " raised_at"
)


class Level(NamedTuple):
    """A level of one account; amounts are tokens or pico-USD."""

    subject: str
    name: str
    period: str
    measure: str
    kind: str
    share: float
    used: int
    most: int
    is_hard: bool
    starts_at: int
    resets_at: int


_RAISE: Final = f"""
INSERT INTO alerts ({", ".join(Level._fields)}, raised_at) VALUES ({"?, " * len(Level._fields)}?)
ON CONFLICT DO NOTHING
"""


def raise_alert(connection: sqlite3.Connection, level: Level, now: int) -> bool:
    """Write a level down that was reached; whether it was not yet."""
    return connection.execute(_RAISE, (*level, now)).rowcount > 0


def claim(connection: sqlite3.Connection, now: int, until: int, since: int) -> list[Alert]:
    """Take what nobody tells of yet, for this process until a time: it may die on the way."""
    rows = connection.execute(
        "UPDATE alerts SET claimed_until = ? WHERE told_at IS NULL AND claimed_until <= ?"
        f" AND raised_at >= ? RETURNING {_COLUMNS}",
        (until, now, since),
    ).fetchall()
    return sorted(map(_alert, rows), key=lambda alert: alert.id)


def mark_told(connection: sqlite3.Connection, alert_id: int, now: int) -> None:
    """Nobody needs to tell of it again."""
    connection.execute("UPDATE alerts SET told_at = ? WHERE id = ?", (now, alert_id))


def recent_alerts(path: Path, limit: int = 20) -> list[Alert]:
    """The newest alerts, the newest first; none where there is no such file.

    Raises:
        StoreError: the file cannot be read.
    """
    with reading(path) as connection:
        if connection is None:
            return []
        rows = connection.execute(
            f"SELECT {_COLUMNS} FROM alerts ORDER BY raised_at DESC, id DESC LIMIT ?", (limit,)
        ).fetchall()
    return list(map(_alert, rows))


def _alert(row: Any) -> Alert:
    is_money = row[5] == "usd"
    return Alert(
        id=row[0],
        kind=row[1],
        subject=row[2],
        name=row[3],
        period=row[4],
        measure=row[5],
        share=row[6],
        used=usd(row[7]) if is_money else row[7],
        limit=usd(row[8]) if is_money else row[8],
        is_hard=bool(row[9]),
        starts_at=row[10],
        resets_at=row[11],
        raised_at=row[12],
    )
