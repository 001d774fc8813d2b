"""When the library's folders are looked at again. The system's watcher is played by a script, but
for the last tests."""

import asyncio
import logging
import os
import shutil
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from watchfiles import _rust_notify

from tests.content.libraries import library, write
from token_tracking_server.content import watching
from token_tracking_server.content.library import Library
from token_tracking_server.content.roots import Roots, Visited
from token_tracking_server.content.sync import Changes
from token_tracking_server.content.watching import changes

Seen = set[tuple[int, str]] | str | Exception
QUIET = "timeout"


class Watcher:
    """What the watcher's thread hears, step by step; at the end it is stopped."""

    heard: list[Seen]
    watched: list[list[str]]

    def __init__(self, paths: list[str], **_: Any) -> None:
        self.watched.append(paths)
        if self.heard and isinstance(self.heard[0], OSError):
            raise self.heard.pop(0)  # pyright: ignore[reportGeneralTypeIssues]

    def __enter__(self) -> "Watcher":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def watch(self, *_: object) -> Seen:
        step = self.heard.pop(0)
        if isinstance(step, Exception):
            raise step
        return step


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "library"
    write(folder, "guides/a.md", "# A\n")
    return folder


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[Seen]:
    Watcher.heard = []
    Watcher.watched = []
    monkeypatch.setattr(_rust_notify, "RustNotify", Watcher)
    monkeypatch.setattr(watching, "_POLL_SECONDS", 0)
    monkeypatch.setattr(watching, "_LOOK_MILLISECONDS", 0)
    monkeypatch.setattr(watching, "_WHOLE_TREES", False)
    return Watcher.heard


@asynccontextmanager
async def looks(root: Path) -> AsyncGenerator[AsyncGenerator[None]]:
    """The looks of who walks at each."""
    roots = Roots([root])

    def visited() -> frozenset[Visited]:
        return frozenset(roots.walk().visited)

    async with aclosing(changes(roots, visited, asyncio.Event())) as seen:
        async with asyncio.timeout(30):
            yield seen


def of(*paths: Path) -> set[tuple[int, str]]:
    return {(1, os.path.realpath(path)) for path in paths}


async def taken(seen: AsyncIterator[None], steps: Iterable[object]) -> None:
    for _ in steps:
        await anext(seen)


async def test_only_what_the_library_looks_into_is_watched(root: Path, heard: list[Seen]) -> None:
    for name in (".git/deep", "node_modules/deep"):
        (root / name).mkdir(parents=True)
    (root / "out").symlink_to(root.parent)
    async with looks(root) as seen:
        await anext(seen)
        assert Watcher.watched == [[os.path.realpath(root), os.path.realpath(root / "guides")]]


async def test_what_is_hidden_or_stands_elsewhere_is_no_change(
    root: Path, heard: list[Seen]
) -> None:
    heard += [
        of(root / ".hidden.md"),
        of(root / "guides" / ".a.md.swp", root / "node_modules"),
        of(root.parent / "else.md"),
        of(root / "unvisited" / "a.md"),
        QUIET,
        of(root / "guides" / "a.md"),
        of(root / "guides"),
    ]
    async with looks(root) as seen:
        await anext(seen)
        assert len(heard) == 7
        await anext(seen)
        assert len(heard) == 1
        await anext(seen)
        assert not heard


async def test_a_new_or_replaced_folder_is_watched_and_looked_at_anew(
    root: Path, heard: list[Seen]
) -> None:
    async with looks(root) as seen:
        await anext(seen)
        write(root, "guides/deep/b.md", "# B\n")
        await anext(seen)
        assert Watcher.watched[1:] == [
            [*Watcher.watched[0], os.path.realpath(root / "guides/deep")]
        ]
        (root / "guides").rename(root.parent / "old")
        write(root, "guides/deep/b.md", "# B\n")
        await anext(seen)
        assert Watcher.watched[2:] == Watcher.watched[1:2]


async def test_a_root_that_was_replaced_is_seen_though_nothing_is_heard(
    root: Path, heard: list[Seen], caplog: pytest.LogCaptureFixture
) -> None:
    roots = Roots([root])
    visited = frozenset(roots.walk().visited)
    async with aclosing(changes(roots, lambda: visited, asyncio.Event())) as seen:
        await anext(seen)
        shutil.move(root, root.parent / "old")
        write(root, "guides/a.md", "# New\n")
        heard += [QUIET]
        await anext(seen)
        assert not heard
        assert not caplog.records


async def test_where_no_watch_is_possible_the_folders_are_polled(
    root: Path, heard: list[Seen], caplog: pytest.LogCaptureFixture
) -> None:
    heard += [OSError(28, "No space left on device")]
    async with looks(root) as seen:
        with caplog.at_level(logging.WARNING):
            await taken(seen, range(watching._POLLS))  # pyright: ignore[reportPrivateUsage]
        assert len(Watcher.watched) == 1
        assert "No space left on device" in caplog.text
        await anext(seen)
        assert len(Watcher.watched) == 2


async def test_a_watcher_that_fails_is_looked_after_and_tried_again(
    root: Path, heard: list[Seen], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "_POLLS", 1)
    heard += [_rust_notify.WatchfilesRustInternalError("Unable to decode path")]
    async with looks(root) as seen:
        await taken(seen, ("before there was a watch", "after it failed", "the next watch"))
        assert len(Watcher.watched) == 2


async def test_while_all_roots_are_missing_they_are_looked_for(
    root: Path, heard: list[Seen]
) -> None:
    shutil.rmtree(root)
    async with looks(root) as seen:
        await taken(seen, range(3))
        assert not Watcher.watched
        write(root, "guides/a.md", "# A\n")
        await taken(seen, range(2))
        assert len(Watcher.watched) == 1


def test_of_whole_trees_the_tops_are_watched() -> None:
    tops = watching._tops(["/a", "/a/b", "/ab", "/ab/c"])  # pyright: ignore[reportPrivateUsage]
    assert tops == ["/a", "/ab"]


class Watched:
    """A library that is watched, and what it told."""

    def __init__(self, of: Library) -> None:
        self.told: asyncio.Queue[Changes] = asyncio.Queue()
        of.on_change(self.told.put_nowait)

    async def told_of(self, uri: str) -> None:
        while uri not in (await self.told.get()).uris:
            pass


@asynccontextmanager
async def watched(root: Path, catalogs: Path) -> AsyncGenerator[Watched]:
    made = library(catalogs, root)
    told = Watched(made)
    stop = asyncio.Event()
    watch = asyncio.create_task(made.watch(stop))
    async with asyncio.timeout(60):
        await told.told_of("content://guides/a")
        yield told
        stop.set()
        await watch
    await made.close()


async def test_replaced_folders_are_kept_up_with(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "_LOOK_MILLISECONDS", 50)
    async with watched(root, tmp_path / "catalogs") as library:
        root.rename(tmp_path / "old")
        write(root, "guides/b.md", "# B\n")
        await library.told_of("content://guides/b")
        write(root, "guides/deep/c.md", "# C\n")
        await library.told_of("content://guides/deep/c")
        (root / "guides" / "deep").rename(tmp_path / "deep")
        write(root, "guides/deep/d.md", "# D\n")
        await library.told_of("content://guides/deep/d")
        write(root, "guides/deep/e.md", "# E\n")
        await library.told_of("content://guides/deep/e")


@pytest.mark.skipif(os.name == "nt", reason="names are Unicode on Windows")
async def test_a_file_whose_name_is_no_unicode_does_not_end_the_watch(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "_POLL_SECONDS", 0.01)
    async with watched(root, tmp_path / "catalogs") as library:
        Path(os.fsdecode(os.fsencode(root / "guides") + b"/\xff.md")).write_text("x")
        write(root, "guides/b.md", "# B\n")
        await library.told_of("content://guides/b")
        write(root, "guides/c.md", "# C\n")
        await library.told_of("content://guides/c")


async def test_thousands_of_folders_are_watched(root: Path, tmp_path: Path) -> None:
    for number in range(2_000):
        (root / "guides" / f"n{number}").mkdir()
    async with watched(root, tmp_path / "catalogs") as library:
        write(root, "guides/n1999/b.md", "# B\n")
        await library.told_of("content://guides/n1999/b")
