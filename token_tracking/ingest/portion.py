"""A portion of the changed files: read, and saved in as few transactions as memory allows."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Final

from msgspec import Struct, field

from token_tracking.reading import FileCursor, FoundFile, Reading, stored_path
from token_tracking.sources.claude_code import read_file
from token_tracking.store import Saved, TokenStore

SAVE_BYTES: Final = 1 << 25
"""After so many bytes read, what they brought is saved: memory stays the same for any history."""

UNSAVED_PORTIONS: Final = 3


class Portion(Struct, kw_only=True):
    """What reading some files brought. `failures` maps a path to the reason."""

    files: int = 0
    lines: int = 0
    malformed_lines: int = 0
    unusable_lines: int = 0
    bytes_read: int = 0
    failures: dict[str, str] = field(default_factory=dict[str, str])
    saved: Saved = Saved()

    @property
    def skipped_lines(self) -> int:
        """Lines that are no JSON object, and answers without a valid usage."""
        return self.malformed_lines + self.unusable_lines

    def add(self, other: "Portion") -> None:
        """Take in what another portion brought."""
        self.files += other.files
        self.lines += other.lines
        self.malformed_lines += other.malformed_lines
        self.unusable_lines += other.unusable_lines
        self.bytes_read += other.bytes_read
        self.failures |= other.failures
        self.saved += other.saved

    def read(self, readings: list[Reading], before: dict[str, FileCursor]) -> None:
        """Count what the readings of some files brought beyond the cursors before them."""
        after = {reading.cursor.path: reading.cursor for reading in readings}
        for path, cursor in after.items():
            known = before.get(path)
            if known is None or cursor.inode != known.inode or cursor.lines < known.lines:
                known = None
            self.lines += cursor.lines - (known.lines if known else 0)
            self.malformed_lines += cursor.malformed_lines - (known.malformed_lines if known else 0)
            self.unusable_lines += cursor.unusable_lines - (known.unusable_lines if known else 0)
            before[path] = cursor
        self.bytes_read += sum(reading.bytes_read for reading in readings)


async def ingest_portions(
    store: TokenStore,
    known: set[str],
    take: Callable[[], Awaitable[Sequence[FoundFile] | None]],
    done: Callable[[Portion], None],
) -> None:
    """Ingest the files that `take` gives until it gives `None`; report each portion when it is
    saved. `known` are the files that the ledger has seen.

    While another process writes, the next portion is read instead of waiting, up to
    `UNSAVED_PORTIONS`. Reading does not go on while a batch is saved: both hold the interpreter's
    lock, and writing took three times as long beside a reading thread.

    Raises:
        StoreError: the database cannot be written. What was saved before stays.
    """
    unsaved: list[Reading] = []
    read: list[Portion] = []
    while (files := await take()) is not None:
        portion = Portion()
        cursors = await _cursors(store, files, known)
        batches = _batches(files, cursors, portion)
        while (readings := await asyncio.to_thread(next, batches, None)) is not None:
            portion.read(readings, cursors)
            unsaved += readings
            if sum(reading.bytes_read for reading in unsaved) >= SAVE_BYTES:
                portion.saved += await store.save_readings(unsaved)
                unsaved = []
        read.append(portion)
        if len(read) >= UNSAVED_PORTIONS or not store.is_written_elsewhere():
            await _save(store, unsaved, read, done)
            unsaved, read = [], []
    await _save(store, unsaved, read, done)


async def _save(
    store: TokenStore,
    unsaved: list[Reading],
    read: list[Portion],
    done: Callable[[Portion], None],
) -> None:
    if unsaved:
        read[-1].saved += await store.save_readings(unsaved)
    for portion in read:
        done(portion)


async def _cursors(
    store: TokenStore, files: Sequence[FoundFile], known: set[str]
) -> dict[str, FileCursor]:
    cursors: dict[str, FileCursor] = {}
    for path in map(stored_path, (file.path for file in files)):
        if path in known and (cursor := await store.file_cursor(path)) is not None:
            cursors[path] = cursor
    return cursors


def _batches(
    files: Sequence[FoundFile], cursors: dict[str, FileCursor], portion: Portion
) -> Iterator[list[Reading]]:
    batch: list[Reading] = []
    size = 0
    for file in files:
        try:
            for reading in read_file(file.path, cursors.get(stored_path(file.path))):
                batch.append(reading)
                size += reading.bytes_read
                if size >= SAVE_BYTES:
                    yield batch
                    batch, size = [], 0
        except FileNotFoundError:
            continue
        except OSError as error:
            portion.failures[stored_path(file.path)] = error.strerror or str(error)
            continue
        portion.files += 1
    if batch:
        yield batch
