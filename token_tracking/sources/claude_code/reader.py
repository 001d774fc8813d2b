"""Incremental reading: only what was appended, and from the start where a file was replaced."""

import hashlib
import os
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from typing import Final

from token_tracking.reading import MAX_INODE, FileCursor, Reading, stored_path
from token_tracking.sources.claude_code.chains import Chains
from token_tracking.sources.claude_code.transcript import Transcript

_CHUNK: Final = 1 << 22
_READING_BYTES: Final = 1 << 25
"""A longer file comes in several readings, so that memory does not grow with the file."""
_LONGEST_LINE: Final = 1 << 26
"""64 MiB: a longer line is skipped, since it would have to be held whole."""
_HEAD: Final = 1024
_TAIL: Final = 256


def read_file(path: str, cursor: FileCursor | None) -> Iterator[Reading]:
    """What stands in a file behind `cursor`, in readings that can each be saved by itself.

    Raises:
        OSError: the file cannot be read, or is gone.
    """
    with Path(path).open("rb", buffering=0) as file:
        start = cursor if cursor is not None and _continues(file, cursor) else None
        if start is not None and os.fstat(file.fileno()).st_size - start.offset > _READING_BYTES:
            # What may have to be read again is held until that is known: not so much.
            start = None
        reader = _FileReader(path, file, start)
        if start is None:
            yield from reader.readings()
            return
        readings = list(reader.readings())
        if reader.lost:
            yield from _FileReader(path, file, None).readings()
        else:
            yield from readings


def _continues(file: FileIO, cursor: FileCursor) -> bool:
    state = os.fstat(file.fileno())
    return (
        state.st_ino & MAX_INODE == cursor.inode
        and state.st_size >= cursor.offset
        and _fingerprint(file, cursor.offset) == cursor.fingerprint
    )


def _fingerprint(file: FileIO, offset: int) -> str:
    """Of the first bytes, and of those before `offset`."""
    file.seek(0)
    head = file.read(min(_HEAD, offset))
    file.seek(max(0, offset - _TAIL))
    tail = file.read(min(_TAIL, offset))
    return hashlib.blake2b(head + tail, digest_size=12).hexdigest()


class _FileReader:
    """One pass over an open file."""

    def __init__(self, path: str, file: FileIO, start: FileCursor | None) -> None:
        self._path = path
        self._file = file
        self._state = os.fstat(file.fileno())
        self._offset = 0 if start is None else start.offset
        self._chains = Chains() if start is None else Chains(start.chains)
        self._counts = (
            (0, 0, 0)
            if start is None
            else (start.lines, start.malformed_lines, start.unusable_lines)
        )
        self._transcript = self._new_transcript()

    @property
    def lost(self) -> bool:
        """Whether a line hung on one that was not read in this pass."""
        return self._chains.lost

    def readings(self) -> Iterator[Reading]:
        """The rest of the file."""
        begin, filled = self._offset, 0
        buffer = bytearray(min(_CHUNK, max(self._state.st_size - begin, 0) + 1))
        self._file.seek(begin)
        while count := self._file.readinto(memoryview(buffer)[filled:]):
            filled += count
            taken = self._take_lines(buffer, filled)
            if taken == 0 and filled > _LONGEST_LINE:
                taken = filled = self._skip_line(filled)
            elif taken == 0 and filled == len(buffer):
                buffer = buffer.ljust(2 * filled)
            self._offset += taken
            filled -= taken
            buffer[:filled] = buffer[taken : taken + filled]
            if self._offset - begin >= _READING_BYTES:
                yield self._reading(self._offset - begin, is_last=False)
                begin = self._offset
        rest = bytes(memoryview(buffer)[:filled])
        if rest.strip() and self._transcript.read(rest):
            self._offset += len(rest)
        yield self._reading(self._offset - begin, is_last=True)

    def _take_lines(self, buffer: bytearray, filled: int) -> int:
        """Take the whole lines at the front of `buffer`; how many bytes they were.

        The lines are views of the buffer: copying them would cost as much as decoding them.
        """
        start, view, read = 0, memoryview(buffer), self._transcript.read
        while (end := buffer.find(b"\n", start, filled)) >= 0:
            line = view[start:end]
            if not read(line) and bytes(line).strip():
                self._transcript.skip()
            start = end + 1
        return start

    def _skip_line(self, length: int) -> int:
        """Pass over the rest of a line that is too long to hold; its whole length."""
        self._transcript.skip()
        self._file.seek(self._offset + length)
        while chunk := self._file.read(_CHUNK):
            end = chunk.find(b"\n")
            if end >= 0:
                length += end + 1
                break
            length += len(chunk)
        self._file.seek(self._offset + length)
        return length

    def _reading(self, bytes_read: int, *, is_last: bool) -> Reading:
        done, self._transcript = self._transcript, self._new_transcript()
        lines, malformed, unusable = self._counts
        self._counts = (
            lines + done.lines,
            malformed + done.malformed_lines,
            unusable + done.unusable_lines,
        )
        return Reading(
            cursor=self._cursor(is_last=is_last),
            events=done.sightings(),
            items=list(done.items.values()),
            sessions=done.spans.sessions(),
            client_totals=done.client_totals,
            bytes_read=bytes_read,
        )

    def _cursor(self, *, is_last: bool) -> FileCursor:
        """Before the last reading it has no time of change: should the rest never be saved, the
        file is not taken for one that was read."""
        position = self._file.tell()
        fingerprint = _fingerprint(self._file, self._offset)
        self._file.seek(position)
        lines, malformed, unusable = self._counts
        return FileCursor(
            path=stored_path(self._path),
            inode=self._state.st_ino & MAX_INODE,
            modified_ns=self._state.st_mtime_ns if is_last else 0,
            size=self._state.st_size,
            offset=self._offset,
            fingerprint=fingerprint,
            chains=self._chains.save(),
            lines=lines,
            malformed_lines=malformed,
            unusable_lines=unusable,
        )

    def _new_transcript(self) -> Transcript:
        return Transcript(_session_id(self._path), self._chains)


def _session_id(path: str) -> str:
    """The session of a file: its name, or for a subagent's file the folder's."""
    session, subagents, _ = path.replace("\\", "/").rpartition("/subagents/")
    return session.rpartition("/")[2] if subagents else Path(path).stem
