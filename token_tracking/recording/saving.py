"""From a segment into the ledger."""

import logging
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from token_tracking.errors import InvalidUsageError, StoreError, TokenTrackingError
from token_tracking.recording.segments import encode, move_aside, read_lines
from token_tracking.recording.values import Drained
from token_tracking.store import TokenStore
from token_tracking.usage import UsageEvent

_logger: Final = logging.getLogger(__name__)
_OF_A_ROW: Final = (
    sqlite3.IntegrityError,
    sqlite3.DataError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
)
"""What the database says of what it is given. Anything else concerns itself, and passes."""


async def save_segment(store: TokenStore, path: Path) -> Drained:
    """Save what a segment holds, then delete it. One that is gone was drained by another process:
    who is killed in between has it saved twice, which changes nothing.

    Raises:
        StoreError: the ledger cannot be written, or the segment not read: it stays.
    """
    try:
        lines = read_lines(path)
    except FileNotFoundError:
        return Drained()
    except OSError as error:
        raise _unusable(path, error) from error
    refused = await _save(store, lines.events)
    bad = lines.garbage + [encode(event).rstrip() for event in refused]
    try:
        if bad:
            move_aside(path, bad)
            _logger.warning("%d recorded lines could not be saved: see %s", len(bad), path.parent)
        path.unlink(missing_ok=True)
    except OSError as error:
        raise _unusable(path, error) from error
    return Drained(
        events=len(lines.events) - len(refused), segments=1, refused=len(bad), torn=lines.torn
    )


async def _save(store: TokenStore, events: Sequence[UsageEvent]) -> list[UsageEvent]:
    """Save them together; where one of them cannot be saved, each half for itself. Those that
    cannot."""
    if not events:
        return []
    try:
        await store.save_usage(events)
    except Exception as error:
        # The outermost edge of what a program recorded: one odd sighting must not hold up others.
        if not _may_be_of_an_event(error):
            raise
        if len(events) == 1:
            await store.check_writable()
            _logger.warning("The ledger refuses a recorded message: %s", error)
            return [events[0]]
    else:
        return []
    half = len(events) // 2
    return await _save(store, events[:half]) + await _save(store, events[half:])


def _may_be_of_an_event(error: Exception) -> bool:
    if isinstance(error, StoreError):
        return isinstance(error.__cause__, _OF_A_ROW)
    if isinstance(error, TokenTrackingError):
        return isinstance(error, InvalidUsageError)
    return not isinstance(error, (MemoryError, RuntimeError))


def _unusable(path: Path, error: OSError) -> StoreError:
    return StoreError(f"{path}: {error.strerror or error}. It stays there until that is mended.")
