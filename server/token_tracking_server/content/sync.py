"""The catalog as the folders are: what is new, changed or gone, and nothing else."""

import hashlib
import sqlite3
import time
from collections.abc import Callable, Collection, Generator, Iterable, Sequence
from contextlib import closing, contextmanager
from typing import Any, Final, NamedTuple

from token_tracking.counting import encoding_tokens_many
from token_tracking_server.content.catalog_file import load_queries
from token_tracking_server.content.errors import UnreadableContentError
from token_tracking_server.content.preparing import CountMany, Prepared, Preparer
from token_tracking_server.content.reading import address_of
from token_tracking_server.content.roots import FoundFile, LeftOut, Roots, Visited
from token_tracking_server.content.search import SearchIndex
from token_tracking_server.content.sharing import BATCH, prepared
from token_tracking_server.content.uris import Address

_SETTLED_NS: Final = 2_000_000_000
"""A file that was written this shortly before it was read may be written again within the same
tick of its modification time (two seconds on FAT): the next look reads it again."""

_UNSETTLED: Final = -1
"""In place of such a file's modification time."""

_Key = tuple[int, str]


class Changes(NamedTuple):
    """What a look at the folders brought: documents by URI, and whether there are other
    categories than before."""

    uris: frozenset[str] = frozenset()
    categories_changed: bool = False

    def __bool__(self) -> bool:
        return bool(self.uris) or self.categories_changed


class Sync:
    """Writes the catalog, over a connection of its own."""

    def __init__(
        self, connection: sqlite3.Connection, roots: Roots, count: CountMany | None = None
    ) -> None:
        self._connection = connection
        self._roots = roots
        self._preparer = Preparer(roots, count or encoding_tokens_many)
        # The other process counts with the package's own counter.
        self._alone = count is not None
        self._index = SearchIndex(connection)
        self._queries: Any = load_queries()
        self._distrusted: set[_Key] = set()
        self._walked = (0, 0)
        self.visited: frozenset[Visited] = frozenset()
        """The folders that the last look looked into."""

    def distrust(self, root: int, path: str) -> None:
        """Have the next look read a file whose size and time say that nothing changed."""
        self._distrusted.add((root, path))

    def run(self, progress: Callable[[int, int], None] | None = None) -> Changes:
        """Look at every file, and read those that changed. `progress` is told files done, of all
        that are to be read.

        Raises:
            sqlite3.Error: the catalog cannot be written.
        """
        progress = progress or _silent
        begun = time.time_ns()
        walk = self._roots.walk()
        self._walked = (begun, time.time_ns())
        self.visited = frozenset(walk.visited)
        files, left_out = self._unique(walk.files, walk.left_out)
        before = self._categories()
        stale = self._stale(files)
        changed = self._forget(files)
        changed |= self._read_all(self._changed(stale, progress), progress)
        changed |= self._note_left_out(left_out, files.keys())
        if changed or self._queries.fingerprint(self._connection) is None:
            self._save_fingerprint()
        return Changes(frozenset(changed), self._categories() != before)

    def _unique(
        self, files: list[FoundFile], left_out: list[LeftOut]
    ) -> tuple[dict[_Key, FoundFile], list[LeftOut]]:
        """Of two files with the same address the first root's, and first path's, stands."""
        owners: dict[tuple[str, str], FoundFile] = {}
        left = list(left_out)
        for file in sorted(files):
            owner = owners.setdefault(address_of(self._roots, file), file)
            if owner is not file:
                other = self._roots.folders[owner.root] / owner.path
                uri = Address(*address_of(self._roots, file)).uri
                reason = f"{uri} is {other} already: rename one"
                left.append(LeftOut.of(file.root, file.path, reason))
        return {(file.root, file.path): file for file in owners.values()}, left

    def _stale(self, files: dict[_Key, FoundFile]) -> list[FoundFile]:
        known: dict[_Key, tuple[int, int]] = {}
        for query in (self._queries.known_files, self._queries.known_left_out):
            known |= {(row[0], row[1]): (row[2], row[3]) for row in query(self._connection)}
        distrusted, self._distrusted = self._distrusted, set()
        return [
            file
            for key, file in files.items()
            if key in distrusted or known.get(key) != (file.size, file.modified_ns)
        ]

    def _changed(
        self, stale: Sequence[FoundFile], progress: Callable[[int, int], None]
    ) -> list[FoundFile]:
        """Those that are other than they were: a digest is made much faster than a document."""
        changed: list[FoundFile] = []
        for start in range(0, len(stale), BATCH):
            progress(0, len(stale))
            with _transaction(self._connection):
                changed += [each for each in stale[start : start + BATCH] if not self._same(each)]
        return changed

    def _same(self, file: FoundFile) -> bool:
        row = self._queries.file_row(self._connection, root=file.root, path=file.path)
        if row is None or row[1] != file.size:
            return False
        try:
            data = self._roots.read_bytes(file.root, file.path)
        except UnreadableContentError:
            return False
        if hashlib.sha256(data).digest() != bytes(row[3]):
            return False
        self._queries.touch_document(self._connection, number=row[0], **self._stat(file))
        return True

    def _stat(self, file: FoundFile) -> dict[str, int]:
        begun, ended = self._walked
        is_settled = not begun - _SETTLED_NS < file.modified_ns < ended + _SETTLED_NS
        return {"size": file.size, "modified_ns": file.modified_ns if is_settled else _UNSETTLED}

    def _forget(self, files: dict[_Key, FoundFile]) -> set[str]:
        """Documents whose files are gone, or whose addresses are another file's now."""
        rows = list(self._queries.known_files(self._connection))
        gone = [row for row in rows if (row[0], row[1]) not in files]
        for start in range(0, len(gone), BATCH):
            with _transaction(self._connection):
                for row in gone[start : start + BATCH]:
                    self._remove(row[0], row[1])
        return {Address(*row[4:]).uri for row in gone}

    def _read_all(
        self, files: Sequence[FoundFile], progress: Callable[[int, int], None]
    ) -> set[str]:
        changed: set[str] = set()
        done = 0
        batches = prepared(self._preparer, self._roots, files, alone=self._alone)
        with closing(batches):
            for batch in batches:
                with _transaction(self._connection):
                    changed |= {uri for each in batch if (uri := self._save(each))}
                done += len(batch)
                progress(done, len(files))
        return changed

    def _save(self, prepared: Prepared) -> str | None:
        """Store one file. Returns its URI if what the library holds of it changed."""
        file, stored = prepared.file, prepared.stored
        place = {"root": file.root, "path": file.path}
        stat = self._stat(file)
        row = self._queries.file_row(self._connection, **place)
        if row is not None and stored is not None and bytes(row[3]) == prepared.digest:
            self._queries.touch_document(self._connection, number=row[0], **stat)
            return None
        earlier = self._queries.left_out_row(self._connection, **place)
        self._remove(file.root, file.path)
        category, document_id = address_of(self._roots, file)
        uri = Address(category, document_id).uri
        if stored is None:
            digest = prepared.digest or None
            reason = prepared.reason
            self._queries.insert_left_out(
                self._connection, reason=reason, digest=digest, **place, **stat
            )
            return uri if earlier != (reason, digest) else None
        # Another process may have stored a file of the same address, which is gone since.
        other = self._queries.address_row(
            self._connection, category=category, document_id=document_id
        )
        if other is not None:
            self._remove(other[1], other[2])
        number = self._queries.insert_document(
            self._connection,
            digest=prepared.digest,
            category=category,
            document_id=document_id,
            title=stored.title,
            description=stored.description,
            problem=stored.problem,
            tokens=stored.tokens,
            outline=stored.outline,
            **place,
            **stat,
        )
        self._index.add(number, stored.indexed)
        return uri

    def _remove(self, root: int, path: str) -> None:
        row = self._queries.file_row(self._connection, root=root, path=path)
        if row is not None:
            self._index.remove(row[0])
            self._queries.delete_document(self._connection, number=row[0])
        self._queries.delete_left_out(self._connection, root=root, path=path)

    def _note_left_out(self, left_out: Iterable[LeftOut], files: Collection[_Key]) -> set[str]:
        """What the walk left out. What reading left out is noted, with its size and time. Returns
        the URIs of both that came, went or are left out for another reason now: files of skills
        may be among them, which are served all the same."""
        wanted = {(each.root, each.path): each.reason for each in left_out}
        rows = list(self._queries.known_left_out(self._connection))
        known = {(row[0], row[1]): row[4] for row in rows if row[2] is None}
        gone = {(row[0], row[1]) for row in rows if (row[0], row[1]) not in files}
        gone -= wanted.keys()
        if known == wanted and not gone:
            return set()
        with _transaction(self._connection):
            for root, path in gone:
                self._queries.delete_left_out(self._connection, root=root, path=path)
            for (root, path), reason in wanted.items():
                self._queries.insert_left_out(
                    self._connection,
                    root=root,
                    path=path,
                    size=None,
                    modified_ns=None,
                    reason=reason,
                    digest=None,
                )
        others = {key for key, reason in wanted.items() if known.get(key) != reason}
        files_of = (FoundFile(*key, 0, 0, in_skill=False) for key in gone | others if key[1])
        return {Address(*address_of(self._roots, each)).uri for each in files_of}

    def _categories(self) -> list[str]:
        return [row[0] for row in self._queries.categories(self._connection)]

    def _save_fingerprint(self) -> None:
        digest = hashlib.sha256()
        for category, document_id, content in self._queries.digests(self._connection):
            digest.update(f"{category}\0{document_id}\0".encode() + content)
        with _transaction(self._connection):
            self._queries.forget_fingerprint(self._connection)
            self._queries.save_fingerprint(
                self._connection, [{"fingerprint": digest.hexdigest()[:32]}]
            )


def _silent(_done: int, _total: int) -> None:
    pass


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Generator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
