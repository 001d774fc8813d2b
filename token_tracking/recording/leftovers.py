"""What dead processes left in the spool of a ledger."""

import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from token_tracking.errors import StoreError
from token_tracking.location import Location
from token_tracking.recording.saving import save_segment
from token_tracking.recording.segments import (
    bad_files,
    lock_path,
    newer_segments,
    segments_by_owner,
    spool_folder,
)
from token_tracking.recording.values import Drained, WaitingOnDisk
from token_tracking.store import TokenStore

_STRAY_SECONDS: Final = 3600
"""A lock without segments may be that of a process that just begins; an old one is not."""


async def drain_spool(store: TokenStore) -> Drained:
    """Bring into the ledger what processes that are gone had recorded. What a process that lives
    recorded is left to it.

    Raises:
        StoreError: the ledger cannot be written, or the spool not read. What was not saved stays.
    """
    folder = spool_folder(store.location)
    drained = Drained()
    try:
        owners = segments_by_owner(folder)
    except OSError as error:
        raise StoreError(f"{folder}: {error.strerror or error}. Make it readable.") from error
    for owner, segments in owners.items():
        with _inherited(folder, owner) as is_ours:
            for segment in segments if is_ours else ():
                drained += await save_segment(store, segment)
    _remove_strays(folder, set(owners))
    return drained


def waiting_on_disk(location: Location) -> WaitingOnDisk:
    """What waits beside a ledger, of programs that run as of those that are gone.

    Raises:
        OSError: it cannot be read.
    """
    folder = spool_folder(location)
    owners = segments_by_owner(folder).values()
    return WaitingOnDisk(
        events=sum(_lines(path) for segments in owners for path in segments),
        refused=sum(map(_lines, bad_files(folder))),
        newer_segments=len(newer_segments(folder)),
    )


@contextmanager
def _inherited(folder: Path, owner: str) -> Generator[bool]:
    """Whether the owner is gone, and no one else is draining what it left."""
    from filelock import FileLock, Timeout  # noqa: PLC0415 (only where something was left)

    path = lock_path(folder, owner)
    lock = FileLock(path, blocking=False, thread_local=False)
    try:
        lock.acquire()
    except Timeout:
        yield False
        return
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror or error}. Make it writable.") from error
    try:
        yield True
    except BaseException:
        lock.release()
        raise
    lock.release()
    with suppress(OSError):
        # Who opened it in between drains what is not there any more: that changes nothing.
        path.unlink()


def _remove_strays(folder: Path, owners: set[str]) -> None:
    before = time.time() - _STRAY_SECONDS
    for path in folder.glob("*.lock"):
        with suppress(OSError):
            if path.stem not in owners and path.stat().st_mtime < before:
                with _inherited(folder, path.stem):
                    pass


def _lines(path: Path) -> int:
    try:
        return path.read_bytes().count(b"\n")
    except FileNotFoundError:
        return 0
