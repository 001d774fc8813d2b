"""The catalog as the folders are: what is new, changed or gone, and nothing else."""

import hashlib
import sqlite3
from collections.abc import Callable, Collection, Generator, Iterable, Sequence
from contextlib import closing, contextmanager
from typing import Any, NamedTuple

from token_tracking.counting import encoding_tokens_many
from token_tracking_server.content.catalog_file import load_queries
from token_tracking_server.content.preparing import CountMany, Prepared, Preparer
from token_tracking_server.content.reading import address_of
from token_tracking_server.content.roots import FoundFile, LeftOut, Roots
from token_tracking_server.content.search import SearchIndex
from token_tracking_server.content.sharing import BATCH, prepared
from token_tracking_server.content.uris import Address

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

    def run(self, progress: Callable[[int, int], None] | None = None) -> Changes:
        """Look at every file, and read those that changed. `progress` is told files done, of all
        that are to be read.

        Raises:
            sqlite3.Error: the catalog cannot be written.
        """
        walk = self._roots.walk()
        files, left_out = self._unique(walk.files, walk.left_out)
        before = self._categories()
        stale = self._stale(files)
        changed = self._forget(files)
        changed |= self._read_all(stale, progress or _silent)
        self._note_left_out(left_out, files.keys())
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
                left.append(LeftOut(file.root, file.path, f"{uri} is {other} already: rename one"))
        return {(file.root, file.path): file for file in owners.values()}, left

    def _stale(self, files: dict[_Key, FoundFile]) -> list[FoundFile]:
        known: dict[_Key, tuple[int, int]] = {}
        for query in (self._queries.known_files, self._queries.known_left_out):
            known |= {(row[0], row[1]): (row[2], row[3]) for row in query(self._connection)}
        return [
            file for key, file in files.items() if known.get(key) != (file.size, file.modified_ns)
        ]

    def _forget(self, files: dict[_Key, FoundFile]) -> set[str]:
        """Documents whose files are gone, or whose addresses are another file's now."""
        gone = [row[:2] for row in self._queries.known_files(self._connection)]
        gone = [key for key in gone if key not in files]
        uris: set[str] = set()
        for start in range(0, len(gone), BATCH):
            with _transaction(self._connection):
                for root, path in gone[start : start + BATCH]:
                    file = FoundFile(root, path, 0, 0, in_skill=False)
                    uris.add(Address(*address_of(self._roots, file)).uri)
                    self._remove(root, path)
        return uris

    def _read_all(
        self, files: Sequence[FoundFile], progress: Callable[[int, int], None]
    ) -> set[str]:
        changed: set[str] = set()
        done = 0
        if files:
            progress(done, len(files))
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
        stat = {"size": file.size, "modified_ns": file.modified_ns}
        row = self._queries.file_row(self._connection, **place)
        if row is not None and stored is not None and bytes(row[3]) == prepared.digest:
            self._queries.touch_document(self._connection, number=row[0], **stat)
            return None
        self._remove(file.root, file.path)
        category, document_id = address_of(self._roots, file)
        if stored is None:
            reason = prepared.reason
            self._queries.insert_left_out(self._connection, reason=reason, **place, **stat)
            return Address(category, document_id).uri if row is not None else None
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
        return Address(category, document_id).uri

    def _remove(self, root: int, path: str) -> None:
        row = self._queries.file_row(self._connection, root=root, path=path)
        if row is not None:
            self._index.remove(row[0])
            self._queries.delete_document(self._connection, number=row[0])
        self._queries.delete_left_out(self._connection, root=root, path=path)

    def _note_left_out(self, left_out: Iterable[LeftOut], files: Collection[_Key]) -> None:
        """What the walk left out. What reading left out is noted, with its size and time."""
        wanted = {(each.root, each.path): each.reason for each in left_out}
        rows = list(self._queries.known_left_out(self._connection))
        known = {(row[0], row[1]): row[4] for row in rows if row[2] is None}
        gone = {(row[0], row[1]) for row in rows if (row[0], row[1]) not in files}
        gone -= wanted.keys()
        if known == wanted and not gone:
            return
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
                )

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
