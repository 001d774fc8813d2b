"""The rows of quotas: what a gateway was told, for other programs to show."""

import sqlite3
from datetime import tzinfo
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import json

from token_tracking.limits.quotas.rules import Rules
from token_tracking.limits.quotas.values import Quota
from token_tracking.pricing import usd


class Definitions(NamedTuple):
    """Quotas, and whose days they are by: the machine's own without a zone."""

    rules: Rules
    zone: tzinfo | None


def write_rules(connection: sqlite3.Connection, rules: Rules, zone: tzinfo | None) -> None:
    """Replace those of the gateway that was started before."""
    key = getattr(zone, "key", "")
    connection.execute("DELETE FROM quotas")
    connection.executemany(
        "INSERT INTO quotas (subject, name, period, tokens, pico, is_hard, allows_unpriced,"
        " alert_at, timezone) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                quota.subject,
                quota.name,
                quota.period,
                quota.tokens,
                quota.limit_of("usd"),
                quota.is_hard,
                quota.allows_unpriced,
                json.encode(quota.alert_at).decode(),
                key,
            )
            for quota in rules.quotas
        ],
    )


def read_rules(connection: sqlite3.Connection) -> Definitions:
    """The quotas of the gateway that was started last."""
    rows = connection.execute(
        "SELECT subject, name, period, tokens, pico, is_hard, allows_unpriced, alert_at, timezone"
        " FROM quotas ORDER BY rowid"
    ).fetchall()
    zone = _zone(rows[0][8]) if rows else None
    return Definitions(Rules(map(_quota, rows)), zone)


def _quota(row: Any) -> Quota:
    return Quota(
        subject=row[0],
        name=row[1],
        period=row[2],
        tokens=row[3],
        usd=None if row[4] is None else usd(row[4]),
        is_hard=bool(row[5]),
        allows_unpriced=bool(row[6]),
        alert_at=tuple(json.decode(row[7], type=list[float])),
    )


def _zone(key: str) -> tzinfo | None:
    try:
        return ZoneInfo(key) if key else None
    except (ZoneInfoNotFoundError, ValueError):
        return None
