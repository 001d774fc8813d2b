"""The file of a catalog: derived from its library, and made anew where it cannot be used."""

import hashlib
import os
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Final

import aiosql

from token_tracking_server.content.search import SearchIndex

_BUSY_SECONDS: Final = 30
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


def open_catalog(path: Path) -> Path:
    """Make the file ready. Returns the path, or that of a temporary file where it cannot be
    written: the catalog is then made at each start."""
    try:
        _prepare(path)
    except sqlite3.DatabaseError as error:
        if "not a database" in str(error) or "malformed" in str(error):
            _remove(path)
        try:
            _prepare(path)
        except (sqlite3.Error, OSError):
            return _temporary()
    except OSError:
        return _temporary()
    return path


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


def _temporary() -> Path:
    path = Path(tempfile.mkdtemp(prefix="token-tracking-")) / "catalog.db"
    _prepare(path)
    return path


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
