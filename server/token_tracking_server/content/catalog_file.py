"""The file of a catalog: derived from its library, and made anew where it cannot be used."""

import hashlib
import os
import shutil
import sqlite3
import tempfile
import time
import weakref
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Final

import aiosql
import msgspec

from token_tracking_server.content.search import SearchIndex

_BUSY_SECONDS: Final = 30
_DAMAGED: Final = ("malformed", "not a database", "Could not decode to UTF-8")
"""What SQLite says of a file that is damaged; the last is Python's word."""

_UNUSED_SECONDS: Final = 90 * 24 * 3600


@cache
def load_queries() -> Any:
    """The named queries of catalog.sql."""
    load: Any = aiosql.from_path  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return load(Path(__file__).with_name("catalog.sql"), "sqlite3", mandatory_parameters=False)


def catalog_path(folder: Path, roots: Sequence[Path]) -> Path:
    """The catalog of some roots, in a folder that holds those of others as well."""
    names = "\0".join(os.path.realpath(each) for each in roots)
    digest = hashlib.sha256(os.fsencode(names)).hexdigest()[:16]
    return folder / f"{digest}-{_form()}.db"


@cache
def _form() -> str:
    """What a catalog holds is made by this code: another version of it may read, cut and weigh
    otherwise, and has a file of its own."""
    here = Path(__file__).parent
    digest = hashlib.sha256()
    for file in sorted([*here.glob("*.py"), *here.glob("*.sql"), *here.glob("search/*.py")]):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:8]


class CatalogFile:
    """A file that is ready. A temporary one is removed when it is closed, or else at exit."""

    def __init__(self, path: Path, *, is_temporary: bool = False) -> None:
        self.path = path
        self._inode = path.stat().st_ino
        self._finalize = (
            weakref.finalize(self, shutil.rmtree, path.parent, ignore_errors=True)
            if is_temporary
            else None
        )

    def remove(self) -> None:
        """Remove it as it is damaged, unless another process did and made a new one."""
        with suppress(OSError):
            if self.path.stat().st_ino == self._inode:
                _remove(self.path)

    def close(self) -> None:
        """Remove it if it is temporary; nobody may be connected."""
        if self._finalize is not None:
            self._finalize()


def open_catalog(path: Path) -> CatalogFile:
    """Make the file ready, or a temporary one where it cannot be written: the catalog is then made
    at each start."""
    try:
        _prepare(path)
    except sqlite3.Error as error:
        # Who cannot write as another process does waited for it: once is enough.
        if not is_damage(error):
            return _temporary()
        _remove(path)
        try:
            _prepare(path)
        except (sqlite3.Error, OSError):
            return _temporary()
    except OSError:
        return _temporary()
    return CatalogFile(path)


def is_damage(error: Exception) -> bool:
    """Whether an error says that the file is no sound database."""
    if isinstance(error, msgspec.DecodeError):
        return True
    text = str(error)
    return isinstance(error, sqlite3.Error) and any(each in text for each in _DAMAGED)


def connect(path: Path) -> sqlite3.Connection:
    """A connection in autocommit mode, which any one thread at a time may use."""
    connection = sqlite3.connect(
        path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    # A lost write costs one reading of the library.
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA cache_size = -32768")
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection


def _prepare(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    is_new = not path.exists()
    connection = connect(path)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        load_queries().create_tables(connection)
        SearchIndex(connection).create()
    finally:
        connection.close()
    if is_new:
        _remove_unused(path)
    else:
        with suppress(OSError):
            os.utime(path)


def _temporary() -> CatalogFile:
    path = Path(tempfile.mkdtemp(prefix="token-tracking-")) / "catalog.db"
    _prepare(path)
    return CatalogFile(path, is_temporary=True)


def _remove_unused(path: Path) -> None:
    """Catalogs of other versions, and those that nobody opened for long: their libraries are gone,
    or can be read again."""
    oldest = time.time() - _UNUSED_SECONDS
    library = path.name.partition("-")[0]
    for other in path.parent.glob("*-*.db"):
        with suppress(OSError):
            is_older_version = other.name.startswith(f"{library}-")
            if other != path and (is_older_version or other.stat().st_mtime < oldest):
                _remove(other)


def _remove(path: Path) -> None:
    for ending in ("", "-wal", "-shm"):
        with suppress(OSError):
            path.with_name(path.name + ending).unlink()
