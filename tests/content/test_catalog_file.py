"""The file of a catalog: made anew where it is damaged, temporary where it cannot be written."""

import asyncio
import gc
import logging
import os
import random
import sqlite3
import tempfile
import time
from pathlib import Path

import pytest

from tests.content.libraries import library, write
from token_tracking_server.content import catalog_file
from token_tracking_server.content.catalog import Catalog
from token_tracking_server.content.catalog_file import open_catalog
from token_tracking_server.content.errors import ContentError

DOCUMENTS = 200


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for number in range(DOCUMENTS):
        write(tmp_path / "library", f"guides/n{number}.md", f"# Number {number}\nzebra {number}\n")
    return tmp_path / "library"


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files stand."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def documents(catalog: Catalog) -> int:
    entries = catalog.documents("guides", DOCUMENTS + 1)
    assert catalog.size().documents == len(entries)
    assert all(each.title for each in entries)
    catalog.search("zebra", None, 5)
    return len(entries)


def spoil(file: Path, start: int) -> None:
    """Random bytes from a page on."""
    size = file.stat().st_size
    noise = random.Random(1)
    with file.open("r+b") as opened:
        opened.seek(start)
        opened.write(noise.randbytes(size - start))


@pytest.mark.parametrize("start", [0, 4096, 8 * 4096])
async def test_a_damaged_catalog_is_made_anew_where_it_stands(
    root: Path, tmp_path: Path, temporary: Path, start: int
) -> None:
    folder = tmp_path / "catalogs"
    first = library(folder, root)
    assert await first.ask(documents) == DOCUMENTS
    await first.close()
    (file,) = folder.glob("*.db")
    spoil(file, start)
    write(root, "guides/new.md", "# New\n")
    second = library(folder, root)
    assert await second.ask(documents) == DOCUMENTS + 1
    assert second.failure is None
    await second.close()
    assert list(folder.glob("*.db")) == [file]
    with sqlite3.connect(file) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("SELECT COUNT(*) FROM documents").fetchone() == (DOCUMENTS + 1,)
    connection.close()
    assert list(temporary.iterdir()) == []


async def test_a_catalog_that_is_damaged_while_it_is_open_is_made_anew(
    root: Path, tmp_path: Path, temporary: Path
) -> None:
    made = library(tmp_path / "catalogs", root)
    asked: list[int] = []

    def damaged_once(catalog: Catalog) -> int:
        asked.append(1)
        if len(asked) == 1:
            raise sqlite3.DatabaseError("database disk image is malformed")
        return documents(catalog)

    assert await made.ask(documents) == DOCUMENTS
    (file,) = (tmp_path / "catalogs").glob("*.db")
    before = file.stat()
    assert await made.ask(damaged_once) == DOCUMENTS
    after = file.stat()
    assert (before.st_ino, before.st_mtime_ns) != (after.st_ino, after.st_mtime_ns)
    await made.close()


async def test_a_look_at_a_damaged_catalog_makes_it_anew(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = library(tmp_path / "catalogs", root)
    await made.ask(documents)
    sync = made._sync  # pyright: ignore[reportPrivateUsage]
    assert sync is not None

    def damaged(_: object) -> None:
        raise sqlite3.DatabaseError("database disk image is malformed")

    monkeypatch.setattr(sync, "run", damaged)
    assert len((await made.refresh()).uris) == DOCUMENTS
    assert made.failure is None
    assert await made.ask(documents) == DOCUMENTS
    await made.close()


def test_a_file_that_another_process_made_anew_is_not_removed(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    opened = open_catalog(path)
    made_anew = open_catalog(tmp_path / "other.db").path
    made_anew.rename(path)
    opened.remove()
    assert path.exists()
    open_catalog(path).remove()
    assert not path.exists()


async def test_where_nothing_can_be_written_the_catalog_is_a_temporary_one(
    root: Path, tmp_path: Path, temporary: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    made = library(tmp_path / "file" / "catalogs", root)
    assert await made.ask(documents) == DOCUMENTS
    assert len(list(temporary.iterdir())) == 1
    await made.close()
    assert list(temporary.iterdir()) == []
    assert await made.ask(documents) == DOCUMENTS
    await made.close()
    assert list(temporary.iterdir()) == []


def test_a_temporary_catalog_that_nobody_closed_is_removed(tmp_path: Path, temporary: Path) -> None:
    path = tmp_path / "catalog.db"
    path.mkdir()
    opened = open_catalog(path)
    assert opened.path.parent.parent == temporary
    assert opened.path.exists()
    del opened
    gc.collect()
    assert list(temporary.iterdir()) == []


def test_a_lock_is_waited_for_once(
    tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[Path] = []

    def locked(path: Path) -> None:
        if path.name == "locked.db":
            waited.append(path)
            raise sqlite3.OperationalError("database is locked")
        prepare(path)

    prepare = catalog_file._prepare  # pyright: ignore[reportPrivateUsage]
    monkeypatch.setattr(catalog_file, "_prepare", locked)
    opened = open_catalog(tmp_path / "locked.db")
    assert opened.path.parent.parent == temporary
    assert len(waited) == 1
    opened.close()


def test_catalogs_of_older_versions_and_unused_ones_are_removed(tmp_path: Path) -> None:
    for name in ("a-1.db", "a-1.db-wal", "b-1.db", "c-1.db", "none.db"):
        (tmp_path / name).write_bytes(b"")
    long_ago = time.time() - 91 * 24 * 3600
    os.utime(tmp_path / "b-1.db", (long_ago, long_ago))
    open_catalog(tmp_path / "a-2.db")
    assert {each.name for each in tmp_path.glob("*.db*")} >= {"a-2.db", "c-1.db", "none.db"}
    assert not {each.name for each in tmp_path.iterdir()} & {"a-1.db", "a-1.db-wal", "b-1.db"}


async def test_a_catalog_that_can_neither_stand_beside_the_ledger_nor_elsewhere_is_an_error(
    root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "file" / "temporary"))
    made = library(tmp_path / "file" / "catalogs", root)
    with pytest.raises(ContentError, match="cannot be read"):
        await made.ask(documents)
    stop = asyncio.Event()
    stop.set()
    with caplog.at_level(logging.WARNING):
        await made.watch(stop)
    assert "The library is not up to date" in caplog.text
    await made.close()
