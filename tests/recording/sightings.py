"""Sightings to record, and what a ledger has of them."""

import sqlite3
from contextlib import closing
from pathlib import Path

from token_tracking.usage import Place, Usage, UsageEvent

AT = 1_790_000_000_000


def sighting(name: str, *, session: str = "s1", output: int = 7, text_bytes: int = 0) -> UsageEvent:
    """A message of this name, as a gateway sees it."""
    return UsageEvent(
        key=f"msg_{name}",
        usage=Usage(input_tokens=11, output_tokens=output),
        timestamp=AT,
        source="gateway",
        model="claude-sonnet-4-5",
        terms_final=True,
        stop_reason="end_turn",
        text_bytes=text_bytes,
        places=(Place(session_id=session, timestamp=AT),),
    )


def keys(database: Path) -> list[str]:
    """The keys of all messages in a ledger, sorted."""
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("SELECT key FROM messages ORDER BY key").fetchall()
    return [row[0] for row in rows]


def spool_of(database: Path) -> Path:
    """Where its sightings wait."""
    return database.with_name(database.name + ".spool")


def in_spool(database: Path, pattern: str) -> list[Path]:
    """Files of its spool."""
    return sorted(spool_of(database).glob(pattern))
