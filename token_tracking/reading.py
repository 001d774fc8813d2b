"""What one reading of one file brought: the shape in which sources hand over to the ledger."""

import os
from typing import Final, NamedTuple

from msgspec import Struct

from token_tracking.merge import larger_fields
from token_tracking.usage import ContentItem, UsageEvent, is_folder


class SessionSpan(Struct, frozen=True, kw_only=True):
    """When a session lived, and where it began. Times are milliseconds since 1970 UTC.

    `born` is the earliest time on a line that forks do not copy; `cwd` is that of the earliest
    line that names one, at `cwd_at`.
    """

    session_id: str
    first_at: int
    last_at: int
    born: int | None = None
    cwd: str | None = None
    cwd_at: int | None = None


class ClientTotal(Struct, frozen=True, kw_only=True):
    """The client's own running total of a session for one model: cumulative, so the largest holds.

    It is never added to the ledger: the ledger is reconciled against it.
    """

    session_id: str
    model: str
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    web_search_requests: int = 0
    cost_pico: int = 0


class FileCursor(Struct, frozen=True, kw_only=True):
    """How far a file was read, and what is needed to go on from there.

    `fingerprint` is of the file's head and of what stands before `offset`: where it differs, the
    file was replaced. `chains` is the source's own state. Lines count from the file's start.
    """

    path: str
    inode: int
    modified_ns: int
    size: int
    offset: int
    fingerprint: str
    chains: str
    lines: int = 0
    malformed_lines: int = 0
    unusable_lines: int = 0

    @property
    def skipped_lines(self) -> int:
        """Lines that are no JSON object, and answers without a valid usage."""
        return self.malformed_lines + self.unusable_lines


MAX_INODE: Final = 2**63 - 1
"""Some file systems number higher: databases take 63 bits, and these tell files apart as well."""


class FoundFile(NamedTuple):
    """A file as the folder lists it."""

    path: str
    inode: int
    modified_ns: int
    size: int

    def is_unchanged(self, before: "FoundFile | None") -> bool:
        """Whether nothing changed since `before`. Some systems list no inode (0)."""
        return (
            before is not None
            and self.size == before.size
            and self.modified_ns == before.modified_ns
            and self.inode in {before.inode, 0}
        )


class Reading(Struct, kw_only=True):
    """What one reading of one file brought. `bytes_read` counts what was read this time."""

    cursor: FileCursor
    events: list[UsageEvent]
    items: list[ContentItem]
    sessions: list[SessionSpan]
    client_totals: list[ClientTotal]
    bytes_read: int = 0


def stored_path(path: str) -> str:
    """A path as text that any database takes: bytes that are no UTF-8 are escaped."""
    return path if path.isascii() else os.fsencode(path).decode("utf-8", "backslashreplace")


def join_spans(a: SessionSpan, b: SessionSpan) -> SessionSpan:
    """Two views of one session, as one."""
    begun = min(a, b, key=_cwd_order)
    born = [span.born for span in (a, b) if span.born is not None]
    return SessionSpan(
        session_id=a.session_id,
        first_at=min(a.first_at, b.first_at),
        last_at=max(a.last_at, b.last_at),
        born=min(born, default=None),
        cwd=begun.cwd,
        cwd_at=begun.cwd_at,
    )


def _cwd_order(span: SessionSpan) -> tuple[bool, bool, int, str]:
    # A directory tells more than a project's name.
    cwd = span.cwd or ""
    return (span.cwd is None, not is_folder(cwd), span.cwd_at or 0, cwd)


def join_client_totals(a: ClientTotal, b: ClientTotal) -> ClientTotal:
    """Two states of one running total, as one: count by count the larger."""
    return ClientTotal(**larger_fields(a, b, a.__struct_fields__))
