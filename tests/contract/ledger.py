"""What the ledger holds, read from its file."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.upstream.received import Received
from tests.upstream.values import Json

_COUNTS = ("input_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens",
           "output_tokens")  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """A message of the ledger: its counts (input, cache read, both cache writes, output), whether
    they are final, and what else is known."""

    counts: tuple[int, ...]
    is_final: bool
    model: str | None
    source: str
    session: str
    metadata: str | None


class Ledger:
    """The ledger's file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def is_there(self) -> bool:
        """Whether the file and its schema were made."""
        if not self.path.exists():
            return False
        with closing(sqlite3.connect(self.path)) as database:
            named = "SELECT 1 FROM sqlite_schema WHERE name = 'ledger'"
            return database.execute(named).fetchone() is not None

    def entries(self, message_id: str) -> list[Entry]:
        """The messages whose key has this id."""
        select = (
            f"SELECT {', '.join(_COUNTS)}, stop_reason IS NOT NULL, model, source, session_id,"
            " metadata FROM ledger WHERE instr(key, ?)"
        )
        return [
            Entry(tuple(row[:5]), bool(row[5]), row[6], row[7], row[8], row[9])
            for row in self._rows(select, message_id)
        ]

    def __len__(self) -> int:
        return self._rows("SELECT count(*) FROM ledger")[0][0]

    def _rows(self, select: str, *values: str) -> list[Any]:
        if not self.is_there:
            return []
        with closing(sqlite3.connect(self.path)) as database:
            return database.execute(select, values).fetchall()


def counts_told(received: Received) -> tuple[int, ...]:
    """What the ledger is to hold of a request that was answered, in the order of `Entry.counts`."""
    usage = received.usage
    assert usage is not None
    return anthropic_counts(usage) if "cache_creation" in usage else openai_counts(usage)


def anthropic_counts(usage: Json) -> tuple[int, ...]:
    """Of Anthropic's usage."""
    written: Json = usage.get("cache_creation") or {}
    return (
        usage["input_tokens"],
        usage.get("cache_read_input_tokens", 0),
        written.get("ephemeral_5m_input_tokens", 0),
        written.get("ephemeral_1h_input_tokens", 0),
        usage["output_tokens"],
    )


def openai_counts(usage: Json) -> tuple[int, ...]:
    """Of OpenAI's usage. What is neither prompt nor completion is reasoning (Gemini's)."""
    if "input_tokens" in usage:
        cached = usage["input_tokens_details"]["cached_tokens"]
        return usage["input_tokens"] - cached, cached, 0, 0, usage["output_tokens"]
    details: Json = usage.get("prompt_tokens_details") or {}
    cached = details.get("cached_tokens", 0)
    output = usage["total_tokens"] - usage["prompt_tokens"]
    return usage["prompt_tokens"] - cached, cached, 0, 0, output
