"""Looks at the folders: what fails, what is stopped, and what they may not trust."""

import asyncio
import logging
import os
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.content.libraries import CACHING, count, library, write
from token_tracking_server.content import roots, sync
from token_tracking_server.content.catalog import Catalog
from token_tracking_server.content.catalog_file import connect, open_catalog
from token_tracking_server.content.errors import UnreadableContentError
from token_tracking_server.content.library import Library
from token_tracking_server.content.roots import Roots
from token_tracking_server.content.sync import Changes, Sync
from token_tracking_server.content.uris import parse_uri

URI = "content://guides/caching"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(tmp_path / "library", "guides/caching.md", CACHING)
    return tmp_path / "library"


def documents(catalog: Catalog) -> list[str]:
    return [
        entry.uri
        for category in catalog.categories()
        for entry in catalog.documents(category.name, 1_000)
    ]


def left_out(catalog: Catalog) -> list[str]:
    return [each.path for each in catalog.left_out(100)]


class Slow:
    """A counter that waits until it may go on."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.begun = threading.Event()
        self.texts: list[str] = []

    def __call__(self, texts: Sequence[str]) -> list[int]:
        self.texts += texts
        self.begun.set()
        self.go.wait(30)
        return count(texts)


async def test_a_look_that_fails_is_said_and_the_next_question_looks_again(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    made = library(tmp_path / "catalogs", root)

    def failing(_: Roots) -> None:
        raise RuntimeError("no look")

    with monkeypatch.context() as patched:
        patched.setattr(Roots, "walk", failing)
        with caplog.at_level(logging.WARNING):
            assert await made.ask(documents) == []
    assert made.failure == "RuntimeError: no look"
    assert "no look" in caplog.text
    assert await made.ask(documents) == [URI]
    assert made.failure is None
    with monkeypatch.context() as patched:
        patched.setattr(Roots, "walk", failing)
        assert await made.refresh() == Changes()
    assert made.failure == "RuntimeError: no look"
    assert await made.ask(documents) == [URI]
    await made.refresh()
    assert made.failure is None
    await made.close()


@pytest.mark.skipif(os.name == "nt", reason="names are Unicode on Windows")
async def test_names_that_are_no_unicode_break_no_look(root: Path, tmp_path: Path) -> None:
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))
    root.rename(odd)
    Path(os.fsdecode(os.fsencode(odd) + b"/bad\xff")).symlink_to("/")
    write(odd, "loose.md", "# Loose\n")
    write(odd, "loose.MD", "# The same address\n")
    made = library(tmp_path / "catalogs", odd)
    assert await made.ask(documents) == [URI, "content://library/loose"]
    assert made.failure is None
    assert len(await made.ask(left_out)) == 2
    await made.close()


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
async def test_two_spellings_of_a_root_are_one_library(root: Path, tmp_path: Path) -> None:
    write(root, "loose.md", "# Loose\n")
    (tmp_path / "link").symlink_to(root)
    first = library(tmp_path / "catalogs", root)
    second = library(tmp_path / "catalogs", tmp_path / "link")
    both = [URI, "content://library/loose"]
    assert await first.ask(documents) == await second.ask(documents) == both
    assert len(list((tmp_path / "catalogs").glob("*.db"))) == 1
    (root / "loose.md").unlink()
    assert await second.refresh() == Changes(frozenset({"content://library/loose"}), True)
    await first.close()
    await second.close()


def test_what_is_gone_is_told_by_the_uri_that_it_had(root: Path, tmp_path: Path) -> None:
    loose = write(root, "loose.md", "# Loose\n")
    folders = Roots([root])
    folders.names = ("earlier",)
    connection = connect(open_catalog(tmp_path / "catalog.db").path)
    looking = Sync(connection, folders, count)
    assert "content://earlier/loose" in looking.run().uris
    folders.names = ("later",)
    loose.unlink()
    assert looking.run().uris == {"content://earlier/loose"}
    connection.close()


async def test_a_document_whose_size_and_time_stay_is_loaded_as_it_is(
    root: Path, tmp_path: Path
) -> None:
    file = root / "guides" / "caching.md"
    os.utime(file, (1, 1))
    made = library(tmp_path / "catalogs", root)
    await made.ask(documents)
    file.write_text(CACHING.replace("Prompt caching", "Prompt hoarding".ljust(14)[:14]))
    os.utime(file, (1, 1))
    assert not await made.refresh()
    entry, document = await made.read(parse_uri(URI))
    assert entry.title == "Prompt hoardin"
    assert "# Prompt hoardin\n" in document.text
    await made.close()


async def test_a_file_that_was_written_just_now_is_not_trusted(root: Path, tmp_path: Path) -> None:
    file = root / "guides" / "caching.md"
    binary = write(root, "guides/binary.md", b"\0")
    made = library(tmp_path / "catalogs", root)
    await made.ask(documents)
    before, binary_before = file.stat(), binary.stat()
    assert not await made.refresh()
    file.write_text(CACHING.replace("Lapses", "Elapse"))
    binary.write_bytes(b"\1")
    os.utime(file, ns=(before.st_mtime_ns, before.st_mtime_ns))
    os.utime(binary, ns=(binary_before.st_mtime_ns, binary_before.st_mtime_ns))
    changed = await made.refresh()
    assert changed.uris == {URI, "content://guides/binary"}
    await made.close()


async def test_a_file_that_was_written_long_ago_is_not_read_at_each_look(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.utime(root / "guides" / "caching.md", (1, 1))
    made = library(tmp_path / "catalogs", root)
    await made.ask(documents)

    def read(*_: object) -> bytes:
        raise AssertionError("it is read again")

    monkeypatch.setattr(roots, "read_file", read)
    assert not await made.refresh()
    assert made.failure is None
    await made.close()


async def test_files_of_a_skill_that_are_no_documents_are_told_when_they_change(
    root: Path, tmp_path: Path
) -> None:
    write(root, "skills/x/SKILL.md", "---\nname: x\ndescription: y\n---\n")
    logo = write(root, "skills/x/logo.png", b"\0PNG")
    os.utime(logo, (1, 1))
    made = library(tmp_path / "catalogs", root)
    await made.ask(documents)
    told = Changes(frozenset({"content://skills/x/logo.png"}), False)
    for content in (b"\0PNG2", b"\0PNG3"):
        logo.write_bytes(content)
        assert await made.refresh() == told
        assert not await made.refresh()
    logo.unlink()
    assert await made.refresh() == told
    assert await made.ask(left_out) == []
    with logo.open("wb") as file:
        file.truncate(1 << 30)
    assert await made.refresh() == told
    assert not await made.refresh()
    assert await made.ask(left_out) == ["skills/x/logo.png"]
    await made.close()


async def test_closing_stops_the_look_that_runs(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from token_tracking_server.content import sharing

    monkeypatch.setattr(sharing, "BATCH", 1)
    slow = Slow()
    slow.go.set()
    made = Library([root], tmp_path / "catalogs", slow)
    await made.ask(documents)
    for number in range(5):
        write(root, f"guides/n{number}.md", f"# Number {number}\n")
    slow.texts.clear()
    slow.go.clear()
    slow.begun.clear()
    with caplog.at_level(logging.WARNING):
        look = asyncio.create_task(made.refresh())
        await asyncio.to_thread(slow.begun.wait, 30)
        closing = asyncio.create_task(made.close())
        # After the closing has begun: it waits for the look.
        asyncio.get_running_loop().call_soon(slow.go.set)
        await closing
        assert await look == Changes()
    assert len(slow.texts) == 1
    assert not caplog.records
    assert len(await made.ask(documents)) == 6
    await made.close()


async def test_who_stops_waiting_for_a_look_leaves_it_to_the_others(
    root: Path, tmp_path: Path
) -> None:
    slow = Slow()
    slow.go.set()
    made = Library([root], tmp_path / "catalogs", slow)
    await made.ask(documents)
    write(root, "guides/new.md", "# New\n")
    slow.begun.clear()
    slow.go.clear()
    impatient, patient = (asyncio.create_task(made.refresh()) for _ in range(2))
    await asyncio.to_thread(slow.begun.wait, 30)
    impatient.cancel()
    await asyncio.wait({impatient})
    slow.go.set()
    assert (await patient).uris == {"content://guides/new"}
    assert impatient.cancelled()
    await made.close()


async def test_a_document_that_can_no_longer_be_read_says_why(root: Path, tmp_path: Path) -> None:
    made = library(tmp_path / "catalogs", root)
    await made.ask(documents)
    with (root / "guides" / "caching.md").open("wb") as file:
        file.truncate(roots.LARGEST + 1)
    with pytest.raises(UnreadableContentError, match="split it"):
        await made.read(parse_uri(URI))
    await made.close()


async def test_a_left_out_file_that_goes_is_forgotten(root: Path, tmp_path: Path) -> None:
    file = write(root, "guides/binary.md", b"\0")
    made = library(tmp_path / "catalogs", root)
    assert await made.ask(left_out) == ["guides/binary.md"]
    file.unlink()
    await made.refresh()
    assert await made.ask(left_out) == []
    await made.close()


def test_of_two_processes_that_store_one_address_the_last_stands(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    write(first, "guides/other.md", "# Other\n")
    write(second, "guides/a.md", "# Second\n")
    both = Roots([first, second])
    path = open_catalog(tmp_path / "catalog.db").path
    ours, theirs = connect(path), connect(path)

    def meanwhile(done: int, _total: int) -> None:
        if done:
            return
        file = write(first, "guides/a.md", "# First\n")
        Sync(theirs, both, count).run()
        file.unlink()

    Sync(ours, both, count).run(meanwhile)
    rows = ours.execute("SELECT root, title FROM documents WHERE document_id = 'a'").fetchall()
    assert rows == [(1, "Second")]
    ours.close()
    theirs.close()


async def test_a_catalog_that_cannot_be_written_is_said(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = library(tmp_path / "catalogs", root)

    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(sync.Sync, "run", full)
    assert await made.ask(documents) == []
    assert made.failure == "OperationalError: database or disk is full"
    await made.close()
