"""The skills that are served at one moment, each with the list of its files."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from msgspec import Struct

from token_tracking_server.content.errors import UnreadableContentError
from token_tracking_server.skills.digests import Digest, Digests
from token_tracking_server.skills.front_matter import SkillFormatError, read_skill
from token_tracking_server.skills.source import (
    MANIFEST,
    Files,
    NotServed,
    SkillFile,
    SkillSource,
)
from token_tracking_server.skills.uris import uri_of

MOST_FILES: Final = 512
MOST_BYTES: Final = 16 * 1024 * 1024
"""Of one skill: what every host must take, and no server should exceed (SEP-2640, Limits)."""


_logger: Final = logging.getLogger(__name__)


class ServedFile(NamedTuple):
    """A file of one or more skills, as it was read."""

    uri: str
    file: SkillFile
    digest: Digest


class Skill(Struct, frozen=True, kw_only=True):
    """A folder with a SKILL.md: the URI of that, what it says of itself, and all its files."""

    uri: str
    front_matter: dict[str, Any]
    files: tuple[ServedFile, ...]


class Shelf(Struct, frozen=True, kw_only=True):
    """All skills by URI in order, their files by URI, the URIs in each folder, and what is not
    served and why."""

    skills: dict[str, Skill] = {}
    files: dict[str, ServedFile] = {}
    folders: dict[str, tuple[str, ...]] = {}
    problems: tuple[NotServed, ...] = ()

    def problem_of(self, uri: str) -> NotServed | None:
        """Why a skill, or a file of it, is not served."""
        for problem in self.problems:
            if uri == uri_of(problem.path) or uri.startswith(f"{uri_of(problem.path)}/"):
                return problem
        return None


_Read = dict[str, Any] | str
"""What a SKILL.md says of itself, or why it is none."""


class _Found(NamedTuple):
    """A skill that may be served: the path of its folder, and the files below."""

    root: int
    folder: str
    files: list[SkillFile]


class Shelves:
    """Builds shelves, reading only what changed since the last. Blocks; not for two threads."""

    def __init__(self, source: SkillSource) -> None:
        self._source = source
        self._digests = Digests(lambda file: source.read(file, MOST_BYTES))
        self._front_matters: dict[tuple[str, str], _Read] = {}
        self._earlier: dict[tuple[str, str], _Read] = {}

    def build(self) -> Shelf:
        """The skills as they are now. One that hosts would refuse is left out, and says why."""
        found = self._source.files()
        self._earlier, self._front_matters = self._front_matters, {}
        problems = [*found.left_out, *_misspelt(found)]
        skills: dict[str, Skill] = {}
        owners = _Owners()
        for candidate in _candidates(found.files):
            try:
                owners.require_free(candidate)
                _require_whole(candidate, found.left_out)
                skill = self._skill(candidate)
            except (SkillFormatError, UnreadableContentError) as error:
                problems.append(NotServed(candidate.folder, str(error), candidate.root))
            except Exception as error:
                # Whatever is wrong with one skill, the others are served.
                _logger.exception("The skill %s cannot be read", candidate.folder)
                reason = f"it cannot be read ({type(error).__name__}): {error}"
                problems.append(NotServed(candidate.folder, reason, candidate.root))
            else:
                owners.take(candidate)
                skills[skill.uri] = skill
        self._digests.keep_only(found.files)
        files = {file.uri: file for skill in skills.values() for file in skill.files}
        return Shelf(
            skills=dict(sorted(skills.items())),
            files=files,
            folders=_folders(files),
            problems=tuple(problems),
        )

    def is_current(self, shelf: Shelf, served: ServedFile) -> bool:
        """Whether the skills that a file belongs to still have the SKILL.md that the shelf knows:
        without it they are no skills, and the file is none of theirs."""
        for folder in _upwards(served.file.path.rpartition("/")[0]):
            skill = shelf.skills.get(uri_of(f"{folder}/{MANIFEST}"))
            if skill is not None and skill.uri != served.uri:
                manifest = shelf.files[skill.uri]
                try:
                    if self.read(manifest)[1] != manifest.digest:
                        return False
                except UnreadableContentError:
                    return False
        return True

    def read(self, served: ServedFile) -> tuple[bytes, Digest]:
        """A file's bytes as they are now, and their digest.

        Raises:
            UnreadableContentError: it is gone, has grown too large, or may not be read.
        """
        data = self._source.read(served.file, MOST_BYTES)
        return data, self._digests.note(served.file, data)

    def _skill(self, found: _Found) -> Skill:
        _require_few(found.files)
        served = tuple(
            ServedFile(uri_of(file.path), file, self._digests.of(file)) for file in found.files
        )
        _require_small(sum(each.digest.size for each in served))
        uri = uri_of(f"{found.folder}/{MANIFEST}")
        manifest = next(each for each in served if each.uri == uri)
        return Skill(uri=uri, front_matter=self._front_matter(manifest), files=served)

    def _front_matter(self, manifest: ServedFile) -> dict[str, Any]:
        folder = manifest.file.path.split("/")[-2]
        key = (manifest.digest.sha256, folder)
        known = self._earlier.get(key) or self._parse(manifest, folder)
        self._front_matters[key] = known
        if isinstance(known, str):
            raise SkillFormatError(known)
        return known

    def _parse(self, manifest: ServedFile, folder: str) -> _Read:
        data, digest = self.read(manifest)
        if digest != manifest.digest:
            raise UnreadableContentError("it changed while it was read: ask again")
        try:
            return read_skill(data, folder)
        except SkillFormatError as error:
            return str(error)


class _Owners:
    """Which root a path belongs to: two roots may have a folder of the same name, and a skill's
    list of files names all that stand below it."""

    def __init__(self) -> None:
        self._skills: dict[str, int] = {}
        self._above: dict[str, int] = {}

    def require_free(self, found: _Found) -> None:
        owners = [self._skills.get(each) for each in _upwards(found.folder)]
        owners.append(self._above.get(found.folder))
        if any(owner not in {None, found.root} for owner in owners):
            raise SkillFormatError(
                "a skill of an earlier library folder has this path, or one below or above it:"
                " rename one of them"
            )

    def take(self, found: _Found) -> None:
        self._skills[found.folder] = found.root
        for folder in _upwards(found.folder):
            self._above.setdefault(folder, found.root)


def _candidates(files: Sequence[SkillFile]) -> list[_Found]:
    """Every folder with a SKILL.md, with all files below it: those of skills in it too."""
    found: dict[tuple[int, str], _Found] = {}
    ordered = sorted(files, key=lambda file: (file.root, file.path))
    for file in ordered:
        folder, _, name = file.path.rpartition("/")
        if name == MANIFEST:
            found[file.root, folder] = _Found(file.root, folder, [])
    for file in ordered:
        for folder in _upwards(file.path.rpartition("/")[0]):
            if (file.root, folder) in found:
                found[file.root, folder].files.append(file)
    return list(found.values())


def _upwards(folder: str) -> Iterator[str]:
    """A folder, and those that it stands in."""
    while folder:
        yield folder
        folder = folder.rpartition("/")[0]


def _misspelt(found: Files) -> Iterator[NotServed]:
    for file in found.files:
        name = file.path.rpartition("/")[2]
        if name != MANIFEST and name.lower() == MANIFEST.lower():
            yield NotServed(file.path, f"hosts look for {MANIFEST}: rename it if it is to be one")


def _require_whole(skill: _Found, left_out: Iterable[NotServed]) -> None:
    """A host takes what is listed for all of the skill."""
    for each in left_out:
        if each.root == skill.root and each.path.startswith(f"{skill.folder}/"):
            raise SkillFormatError(
                f"{each.path} belongs to it and is left out ({each.reason.rstrip('.')}): mend or"
                " remove that file"
            )


def _require_few(files: Sequence[SkillFile]) -> None:
    """Checked before anything is read."""
    if len(files) > MOST_FILES:
        raise SkillFormatError(
            f"it has {len(files):,} files, and hosts take {MOST_FILES} of a skill: remove some, or"
            " put them into an archive"
        )
    _require_small(sum(file.size for file in files))


def _require_small(size: int) -> None:
    if size > MOST_BYTES:
        raise SkillFormatError(
            f"its files have {size:,} bytes, and hosts take {MOST_BYTES:,} of a skill: move large"
            " files out of it"
        )


def _folders(files: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """What stands in each folder: files and folders, by name."""
    below: dict[str, set[str]] = {}
    for uri in files:
        child = uri
        while True:
            parent = child.rpartition("/")[0]
            if parent.endswith("/"):
                break
            known = parent in below
            below.setdefault(parent, set()).add(child)
            if known:
                break
            child = parent
    return {folder: tuple(sorted(children)) for folder, children in below.items()}
