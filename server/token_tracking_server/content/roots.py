"""The folders of the library. Nothing outside them is ever read: no link below one is followed."""

import os
import stat
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple

from token_tracking_server.content.errors import UnreadableContentError

LARGEST: Final = 4_000_000
"""Bytes. A larger file is no guide, and is named among what was left out."""

LARGEST_OF_SKILL: Final = 16 * 1024 * 1024
"""Bytes: what the skills extension allows for all files of a skill together."""

_MARKDOWN: Final = (".md", ".markdown", ".mdx")
_NOT_CONTENT: Final = frozenset({"node_modules", "__pycache__"})
_SKILL: Final = "SKILL.md"
_BELOW: Final = os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")


class FoundFile(NamedTuple):
    """A file of the library: the number of its root, and its path below it with `/`."""

    root: int
    path: str
    size: int
    modified_ns: int
    in_skill: bool


class LeftOut(NamedTuple):
    """What is in a root and not in the library, and why."""

    root: int
    path: str
    reason: str


class Walk(NamedTuple):
    """What the roots hold."""

    files: list[FoundFile]
    left_out: list[LeftOut]


class Roots:
    """One or more folders."""

    def __init__(self, folders: Sequence[Path]) -> None:
        once: dict[str, Path] = {}
        for each in folders:
            folder = each.expanduser().absolute()
            once.setdefault(os.path.realpath(folder), folder)
        self.folders = tuple(once.values())

    def walk(self) -> Walk:
        """Markdown, and all files of skills: folders with a SKILL.md. Hidden files and folders,
        `node_modules` and links are left out; a folder that is missing holds nothing."""
        found = Walk([], [])
        for number, folder in enumerate(self.folders):
            if folder.is_dir():
                _walk_root(number, os.path.realpath(folder), found)
            else:
                there = folder.exists()
                reason = "it is a file, no folder" if there else "there is no such folder"
                found.left_out.append(LeftOut(number, "", reason))
        return found

    def read_bytes(self, root: int, path: str, limit: int = LARGEST) -> bytes:
        """A file of a root, by its path below it with `/`.

        Raises:
            UnreadableContentError: it leads out of the root or through a link, is gone, is no
                ordinary file, is larger than `limit` bytes, or may not be read.
        """
        parts = PurePosixPath(path).parts
        if not parts or path.startswith("/") or any(_is_unsafe(each) for each in parts):
            raise UnreadableContentError(f"{path!r} leads out of the library: it is not read.")
        try:
            with _opened(os.path.realpath(self.folders[root]), parts) as file:
                return _read(file, path, limit)
        except FileNotFoundError as error:
            raise UnreadableContentError(
                f"{path} is gone from {self.folders[root]}: search again for what is there now."
            ) from error
        except OSError as error:
            raise UnreadableContentError(
                f"{path} cannot be read ({error.strerror}): links are not followed."
            ) from error


def _walk_root(number: int, folder: str, found: Walk) -> None:
    waiting = [(folder, "", False)]
    while waiting:
        path, below, in_skill = waiting.pop()
        try:
            with os.scandir(path) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            found.left_out.append(LeftOut(number, below.rstrip("/"), error.strerror or str(error)))
            continue
        in_skill = in_skill or any(entry.name == _SKILL for entry in listed)
        for entry in listed:
            name = below + entry.name
            if entry.name.startswith(".") or entry.name in _NOT_CONTENT:
                continue
            if entry.is_symlink():
                if reason := _link(entry.path, folder):
                    found.left_out.append(LeftOut(number, name, reason))
            elif entry.is_dir(follow_symlinks=False):
                waiting.append((entry.path, f"{name}/", in_skill))
            elif in_skill or entry.name.lower().endswith(_MARKDOWN):
                _note(number, name, entry, in_skill, found)


def _note(number: int, name: str, entry: os.DirEntry[str], in_skill: bool, found: Walk) -> None:
    try:
        about = entry.stat(follow_symlinks=False)
        name.encode()
    except OSError:
        return
    except UnicodeEncodeError:
        shown = os.fsencode(name).decode(errors="replace")
        found.left_out.append(LeftOut(number, shown, "its name is not UTF-8"))
        return
    if not stat.S_ISREG(about.st_mode):
        found.left_out.append(LeftOut(number, name, "it is no ordinary file"))
    elif about.st_size > (most := LARGEST_OF_SKILL if in_skill else LARGEST):
        reason = f"it has {about.st_size:,} bytes, and {most:,} are the most"
        found.left_out.append(LeftOut(number, name, reason))
    else:
        found.files.append(FoundFile(number, name, about.st_size, about.st_mtime_ns, in_skill))


def _link(path: str, folder: str) -> str | None:
    """Why a link is left out; `None` where it leads to what the library has anyway."""
    target = os.path.realpath(path)
    if target == folder or target.startswith(folder + os.sep):
        return None
    return "it is a link out of the library; name its target's folder as a library of its own"


def _is_unsafe(part: str) -> bool:
    return (
        part in {"", ".", ".."} or "\0" in part or "\\" in part or (os.name == "nt" and ":" in part)
    )


@contextmanager
def _opened(folder: str, parts: Sequence[str]) -> Generator[int]:
    """Open a file step by step: no step may be a link, also if it becomes one meanwhile."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    if not _BELOW:
        path = str(Path(folder, *parts))
        if os.path.realpath(path) != path:
            raise OSError(0, "it is a link")
        opened = [os.open(path, flags)]
    else:
        opened = [os.open(folder, os.O_RDONLY | os.O_DIRECTORY)]
    try:
        if _BELOW:
            for part in parts[:-1]:
                step = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
                opened.append(os.open(part, step, dir_fd=opened[-1]))
            opened.append(os.open(parts[-1], flags | os.O_NOFOLLOW, dir_fd=opened[-1]))
        yield opened[-1]
    finally:
        for each in opened:
            os.close(each)


def _read(file: int, path: str, limit: int) -> bytes:
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
