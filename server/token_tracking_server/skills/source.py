"""Where skills come from."""

from collections.abc import Callable, Hashable, Sequence
from typing import Final, NamedTuple, Protocol

from token_tracking_server.content.roots import FoundFile, LeftOut, Roots

MANIFEST: Final = "SKILL.md"


class SkillFile(NamedTuple):
    """A file that may belong to a skill.

    `path` is its path below the library with `/`, and what its URI is made of; `place` is what the
    source reads it by. Files with different roots never belong to the same skill. Size in bytes.
    """

    root: int
    path: str
    size: int
    modified_ns: int
    place: str


class NotServed(NamedTuple):
    """What hosts get no sight of, by its path below the library, and what to do about it."""

    path: str
    reason: str
    root: int = 0


class Files(NamedTuple):
    """What a source holds, and what it leaves out."""

    files: Sequence[SkillFile]
    left_out: Sequence[NotServed]


class SkillSource(Protocol):
    """Folders with a SKILL.md. Both methods block, and are called from other threads."""

    def state(self) -> Hashable | None:
        """Another value when a file may have changed. `None`: look at every request."""
        ...

    def files(self) -> Files:
        """All files of skills; others may be among them."""
        ...

    def read(self, file: SkillFile, limit: int) -> bytes:
        """A file's bytes.

        Raises:
            UnreadableContentError: it is gone, is larger than `limit` bytes, or may not be read.
        """
        ...


class RootsSource:
    """The skills below the library's folders. Hidden files and links are no part of them."""

    def __init__(self, roots: Roots, state: Callable[[], Hashable | None] = lambda: None) -> None:
        """`state` is asked at every request: see `SkillSource.state`."""
        self._roots = roots
        self._state = state

    def state(self) -> Hashable | None:
        """What the caller says; by itself nothing watches the folders."""
        return self._state()

    def files(self) -> Files:
        """All files in folders that have a SKILL.md, and below them."""
        walk = self._roots.walk()
        folders = _folders(walk.files)
        # A root that is a skill itself gives its files its own name as their first folder.
        alone = {root for root, folder in folders if not folder}
        return Files(
            [self._file(file, alone) for file in walk.files if file.in_skill],
            [
                NotServed(self._path(each.root, each.path, alone), each.reason, each.root)
                for each in walk.left_out
                if _stands_in(each, folders)
            ],
        )

    def read(self, file: SkillFile, limit: int) -> bytes:
        """A file's bytes, as `Roots.read_bytes`."""
        return self._roots.read_bytes(file.root, file.place, limit)

    def _file(self, file: FoundFile, alone: set[int]) -> SkillFile:
        path = self._path(file.root, file.path, alone)
        return SkillFile(file.root, path, file.size, file.modified_ns, file.path)

    def _path(self, root: int, path: str, alone: set[int]) -> str:
        return f"{self._roots.names[root]}/{path}" if root in alone else path


def _folders(files: Sequence[FoundFile]) -> set[tuple[int, str]]:
    """The folders that have a SKILL.md; '' is the root."""
    return {
        (file.root, file.path[: -len(MANIFEST)].rstrip("/"))
        for file in files
        if file.in_skill and f"/{file.path}".endswith(f"/{MANIFEST}")
    }


def _stands_in(each: LeftOut, folders: set[tuple[int, str]]) -> bool:
    """Whether something left out is missing in a skill, or is the SKILL.md itself."""
    folder = each.path
    if f"/{folder}".endswith(f"/{MANIFEST}"):
        return True
    while folder:
        folder = folder.rpartition("/")[0]
        if (each.root, folder) in folders:
            return True
    return False
