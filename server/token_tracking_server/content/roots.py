"""The folders of the library. Nothing outside them is ever read: no link below one is followed."""

import os
import stat
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple, Self

from token_tracking_server.content.descriptors import open_folder, opened_file, read_file
from token_tracking_server.content.errors import BadContentUriError, UnreadableContentError
from token_tracking_server.content.uris import Address, parse_uri

LARGEST: Final = 4_000_000
"""Bytes. A larger file is no guide, and is named among what was left out."""

LARGEST_OF_SKILL: Final = 16 * 1024 * 1024
"""Bytes: what the skills extension allows for all files of a skill together."""

_MARKDOWN: Final = (".md", ".markdown", ".mdx")
NOT_CONTENT: Final = frozenset({"node_modules", "__pycache__"})
_SKILL: Final = "SKILL.md"
_DEEPEST: Final = 60
"""Folders below a root. The walk keeps one descriptor open for each, and a process has few."""


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

    @classmethod
    def of(cls, root: int, path: str, reason: str) -> Self:
        """With names that are no Unicode as they can be shown and stored."""
        return cls(root, shown(path), shown(reason))


class Visited(NamedTuple):
    """A folder whose entries were looked at. It is another one when device or inode are others,
    whatever its path."""

    path: str
    device: int
    inode: int


class Walk(NamedTuple):
    """What the roots hold, and the folders that were looked into."""

    files: list[FoundFile]
    left_out: list[LeftOut]
    visited: list[Visited]


class Roots:
    """One or more folders.

    `names` are the categories of the files that stand in the folders themselves: the last part of
    each, whatever links lead to it.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        once: dict[str, Path] = {}
        for each in folders:
            folder = _expanded(each).absolute()
            once.setdefault(os.path.realpath(folder), folder)
        self.folders = tuple(once.values())
        self.names = tuple(_category(Path(real).name) for real in once)

    def walk(self) -> Walk:
        """Markdown, and all files of skills: folders with a SKILL.md. Hidden files and folders,
        `node_modules` and links are left out; a folder that is missing holds nothing."""
        found = Walk([], [], [])
        for number, folder in enumerate(self.folders):
            if reason := _missing(folder):
                found.left_out.append(LeftOut.of(number, "", reason))
            else:
                _WalkOfRoot(number, os.path.realpath(folder), found).run()
        return found

    def identities(self) -> list[tuple[int, int] | None]:
        """Device and inode of each folder as it is now: `None` where there is none."""
        return [_identity(folder) for folder in self.folders]

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
            with opened_file(os.path.realpath(self.folders[root]), parts) as file:
                return read_file(file, path, limit)
        except FileNotFoundError as error:
            folder = shown(str(self.folders[root]))
            raise UnreadableContentError(
                f"{path} is gone from {folder}: search again for what is there now."
            ) from error
        except OSError as error:
            raise UnreadableContentError(
                f"{path} cannot be read ({error.strerror}): links are not followed."
            ) from error


def shown(text: str) -> str:
    """A name or path as it can be shown and stored: bytes that are no UTF-8 become U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return os.fsencode(text).decode(errors="replace")
    return text


class _WalkOfRoot:
    """Folder by folder, each opened from the one that it stands in: none may be a link, also if it
    becomes one meanwhile."""

    def __init__(self, number: int, folder: str, found: Walk) -> None:
        self._number = number
        self._folder = folder
        self._found = found

    def run(self) -> None:
        try:
            handle = open_folder(self._folder)
        except OSError as error:
            self._leave_out("", _why(error))
        else:
            self._walk(handle, "", in_skill=False, depth=0)

    def _walk(self, handle: int | str, below: str, *, in_skill: bool, depth: int) -> None:
        """Looks into an open folder, and closes it."""
        try:
            with os.scandir(handle) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
            self._visit(handle, below)
            in_skill = in_skill or any(entry.name == _SKILL for entry in listed)
            for entry in listed:
                if entry.name.startswith(".") or entry.name in NOT_CONTENT:
                    continue
                try:
                    is_folder = self._note(entry, below + entry.name, in_skill)
                    inner = self._enter(entry.name, handle, depth) if is_folder else None
                except FileNotFoundError:
                    continue
                except OSError as error:
                    self._leave_out(below + entry.name, _why(error))
                    continue
                if inner is not None:
                    self._walk(inner, f"{below}{entry.name}/", in_skill=in_skill, depth=depth + 1)
        except OSError as error:
            self._leave_out(below.rstrip("/"), _why(error))
        finally:
            if isinstance(handle, int):
                os.close(handle)

    def _enter(self, name: str, handle: int | str, depth: int) -> int | str:
        if depth >= _DEEPEST:
            raise OSError(0, f"it stands more than {_DEEPEST} folders deep: move it up")
        return open_folder(name, handle)

    def _visit(self, handle: int | str, below: str) -> None:
        about = os.stat(handle)  # noqa: PTH116 (a descriptor)
        path = os.path.join(self._folder, below).rstrip(os.sep) or os.sep  # noqa: PTH118 (fast)
        self._found.visited.append(Visited(path, about.st_dev, about.st_ino))

    def _note(self, entry: os.DirEntry[str], name: str, in_skill: bool) -> bool:
        """Note what is no folder. Returns whether it is one."""
        if entry.is_symlink():
            if reason := _link(f"{self._folder}/{name}", self._folder, in_skill):
                self._leave_out(name, reason)
        elif entry.is_dir(follow_symlinks=False):
            return True
        elif in_skill or entry.name.lower().endswith(_MARKDOWN):
            about = entry.stat(follow_symlinks=False)
            if reason := _unfit(name, about, in_skill):
                self._leave_out(name, reason)
            else:
                file = FoundFile(self._number, name, about.st_size, about.st_mtime_ns, in_skill)
                self._found.files.append(file)
        return False

    def _leave_out(self, path: str, reason: str) -> None:
        self._found.left_out.append(LeftOut.of(self._number, path, reason))


def _unfit(name: str, about: os.stat_result, in_skill: bool) -> str | None:
    """Why a file is left out."""
    if shown(name) != name:
        return "its name is not UTF-8"
    if "\\" in name:
        return "its path has a backslash, which a URI cannot name: rename it"
    if not stat.S_ISREG(about.st_mode):
        return "it is no ordinary file"
    if about.st_size > (most := LARGEST_OF_SKILL if in_skill else LARGEST):
        return f"it has {about.st_size:,} bytes, and {most:,} are the most"
    return None


def _link(path: str, folder: str, in_skill: bool) -> str | None:
    """Why a link is left out; `None` where it leads to what the library has anyway."""
    try:
        target = os.path.realpath(path)
    except OSError as error:
        return f"it is a link that leads nowhere ({_why(error)})"
    if target != folder and not target.startswith(folder.rstrip(os.sep) + os.sep):
        return "it is a link out of the library; name its target's folder as a library of its own"
    return "it is a link, and a skill has its files itself: copy the file" if in_skill else None


def _missing(folder: Path) -> str | None:
    try:
        about = folder.stat()
    except FileNotFoundError:
        return "there is no such folder"
    except (OSError, ValueError) as error:
        return _why(error)
    return None if stat.S_ISDIR(about.st_mode) else "it is a file, no folder"


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        about = folder.stat()
    except (OSError, ValueError):
        return None
    return about.st_dev, about.st_ino


def _expanded(folder: Path) -> Path:
    try:
        return folder.expanduser()
    except RuntimeError:
        # There is no such user: a folder that is not there.
        return folder


def _category(name: str) -> str:
    """A root's name, where a URI can name it."""
    try:
        if parse_uri(Address(name).uri) == Address(name):
            return name
    except (BadContentUriError, UnicodeEncodeError):
        pass
    return "library"


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _is_unsafe(part: str) -> bool:
    return (
        part in {"", ".", ".."} or "\0" in part or "\\" in part or (os.name == "nt" and ":" in part)
    )
