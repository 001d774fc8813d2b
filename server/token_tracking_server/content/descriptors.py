"""Files and folders opened step by step, so that no step is a link: also if one becomes a link
meanwhile."""

import os
import stat
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from token_tracking_server.content.errors import UnreadableContentError

_BELOW: Final = (
    os.open in os.supports_dir_fd and os.scandir in os.supports_fd and hasattr(os, "O_NOFOLLOW")
)
_STEP: Final = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)


def open_folder(name: str, parent: int | str | None = None) -> int | str:
    """A descriptor; where the system cannot look into one, the path. `name` is a path without
    links, or the name of an entry of `parent`.

    Raises:
        OSError: it is no folder, a link, or may not be read.
    """
    if _BELOW:
        return os.open(name, _STEP, dir_fd=parent if isinstance(parent, int) else None)
    path = name if parent is None else os.path.join(str(parent), name)  # noqa: PTH118 (fast)
    if os.path.realpath(path) != path:
        raise OSError(0, "it is a link")
    return path


@contextmanager
def opened_file(folder: str, parts: Sequence[str]) -> Generator[int]:
    """A file, by the names that lead to it from a folder whose path has no links.

    Raises:
        OSError: a step is a link, no folder, gone, or may not be read.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    if not _BELOW:
        path = str(Path(folder, *parts))
        if os.path.realpath(path) != path:
            raise OSError(0, "it is a link")
        opened = os.open(path, flags)
    else:
        opened = os.open(folder, _STEP)
    try:
        if _BELOW:
            for part in parts[:-1]:
                opened = _swapped(opened, os.open(part, _STEP, dir_fd=opened))
            opened = _swapped(opened, os.open(parts[-1], flags | os.O_NOFOLLOW, dir_fd=opened))
        yield opened
    finally:
        os.close(opened)


def _swapped(before: int, after: int) -> int:
    os.close(before)
    return after


def read_file(file: int, path: str, limit: int) -> bytes:
    """All bytes of an open file, which errors name `path`.

    Raises:
        UnreadableContentError: it is no ordinary file, or has more than `limit` bytes.
    """
    about = os.fstat(file)
    if not stat.S_ISREG(about.st_mode):
        raise UnreadableContentError(f"{path} is no ordinary file: it is not read.")
    chunks: list[bytes] = []
    left = limit + 1
    while left and (chunk := os.read(file, min(left, 1 << 20))):
        chunks.append(chunk)
        left -= len(chunk)
    if not left:
        raise UnreadableContentError(
            f"{path} has more than {limit:,} bytes: split it, or read it with another tool."
        )
    return b"".join(chunks)
