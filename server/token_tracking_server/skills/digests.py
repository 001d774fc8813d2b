"""Digests of files, kept until a file changes."""

import hashlib
import time
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from token_tracking_server.skills.source import SkillFile

_SETTLED_NS: Final = 2_000_000_000
"""A file that was written this shortly before it was read may be written again within the same
tick of its modification time (two seconds on FAT): its digest is computed anew each time."""


class Digest(NamedTuple):
    """Of the bytes that were read: SHA-256 (hexadecimal), how many, and whether they are text."""

    sha256: str
    size: int
    is_text: bool


class Digests:
    """What the files held when they were last read."""

    def __init__(self, read: Callable[[SkillFile], bytes]) -> None:
        self._read = read
        self._known: dict[tuple[int, str], tuple[int, int, Digest]] = {}

    def of(self, file: SkillFile) -> Digest:
        """A file's digest; reads it if it may have changed.

        Raises:
            UnreadableContentError: as the reader.
        """
        known = self._known.get((file.root, file.place))
        if known is not None and known[:2] == (file.size, file.modified_ns):
            return known[2]
        return self.note(file, self._read(file))

    def note(self, file: SkillFile, data: bytes) -> Digest:
        """The digest of bytes that were just read of a file."""
        digest = Digest(hashlib.sha256(data).hexdigest(), len(data), _is_text(data))
        key = (file.root, file.place)
        if len(data) == file.size and time.time_ns() - file.modified_ns > _SETTLED_NS:
            self._known[key] = (file.size, file.modified_ns, digest)
        else:
            self._known.pop(key, None)
        return digest

    def keep_only(self, files: Iterable[SkillFile]) -> None:
        """Forget all others."""
        there = {(file.root, file.place) for file in files}
        self._known = {key: known for key, known in self._known.items() if key in there}


def _is_text(data: bytes) -> bool:
    if b"\0" in data:
        return False
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
