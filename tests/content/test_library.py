"""The library: what it holds, and how it keeps up with its folders."""

import asyncio
import os
import shutil
import sqlite3
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.content.libraries import CACHING, count, library, write
from token_tracking_server.content.catalog_file import open_catalog
from token_tracking_server.content.errors import (
    BadContentUriError,
    ContentError,
    UnknownContentError,
)
from token_tracking_server.content.held import Conversations
from token_tracking_server.content.library import Library
from token_tracking_server.content.outline import Entry
from token_tracking_server.content.sync import Changes
from token_tracking_server.content.uris import parse_uri


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "library"
    write(folder, "guides/caching.md", CACHING)
    write(folder, "agents/reviewer.md", "---\nname: reviewer\n---\nReview the code.\n")
    return folder


@pytest.fixture
async def opened(root: Path, tmp_path: Path) -> AsyncIterator[Library]:
    made = library(tmp_path / "catalogs", root)
    yield made
    await made.close()


async def uris(of: Library) -> list[str]:
    """Every document."""

    def all_of(catalog: object) -> list[str]:
        from token_tracking_server.content.catalog import Catalog

        assert isinstance(catalog, Catalog)
        return [
            entry.uri
            for category in catalog.categories()
            for entry in catalog.documents(category.name, 1_000)
        ]

    return await of.ask(all_of)


async def document(of: Library, uri: str) -> Entry:
    return (await of.read(parse_uri(uri)))[0]


async def found(of: Library, query: str) -> list[str]:
    hits = await of.ask(lambda catalog: catalog.search(query, None, 10))
    return [each.entry.uri for each in hits]


async def test_the_first_folder_is_the_category_and_the_rest_the_id(opened: Library) -> None:
    write(opened.roots.folders[0], "guides/deep/er/my guide.md", "# My guide\n")
    write(opened.roots.folders[0], "loose.md", "# Loose\n")
    assert await uris(opened) == [
        "content://agents/reviewer",
        "content://guides/caching",
        "content://guides/deep/er/my%20guide",
        "content://library/loose",
    ]
    entry, text = await opened.read(parse_uri("content://guides/deep/er/my guide.md"))
    assert (entry.title, text.text) == ("My guide", "# My guide\n")


async def test_a_document_knows_its_sections_and_their_sizes(opened: Library) -> None:
    entry, text = await opened.read(parse_uri("content://guides/caching"))
    assert (entry.title, entry.description) == ("Prompt caching", "When a cached prefix pays.")
    assert [(piece.anchor, piece.tokens) for piece in entry.pieces] == [
        ("prompt-caching", 13),
        ("break-even", 15),
        ("lapses", 9),
    ]
    assert entry.tokens == 37 == count([text.text])[0]
    assert entry.extent(0) == range(3)
    assert entry.trail(1) == ("Prompt caching", "Break-even")


async def test_names_with_spaces_percent_signs_and_emoji_work(opened: Library) -> None:
    names = ["100%", "a b", "a%20b", "a#b?c", "😀", "день", "a&b=c;d,e'f\"g", "x.md"]
    for name in names:
        write(opened.roots.folders[0], f"guides/{name}.md", f"# Of {name}\nzebra")
    expected = {f"Of {name}" for name in names}
    titles: set[str] = set()
    for uri in await found(opened, "zebra"):
        assert not set(uri) & set(' "<>?')
        titles.add((await document(opened, uri)).title)
    assert titles == expected


async def test_scripts_and_references_of_a_skill_are_documents_and_its_images_are_not(
    opened: Library,
) -> None:
    root = opened.roots.folders[0]
    write(root, "skills/pdf/SKILL.md", "---\nname: pdf\ndescription: Fill forms.\n---\n# PDF\n")
    write(root, "skills/pdf/scripts/fill.py", "# not a heading\nprint('fill')\n")
    write(root, "skills/pdf/logo.png", b"\x89PNG\0\0")
    assert [each for each in await uris(opened) if "skills" in each] == [
        "content://skills/pdf/SKILL",
        "content://skills/pdf/scripts/fill.py",
    ]
    assert (await document(opened, "content://skills/pdf/scripts/fill.py")).title == "fill.py"


async def test_what_changes_is_found_and_what_does_not_is_not_read_again(
    root: Path, tmp_path: Path
) -> None:
    counted: list[str] = []

    def counting(texts: "list[str] | tuple[str, ...]") -> list[int]:
        counted.extend(texts)
        return count(texts)

    first = Library([root], tmp_path / "catalogs", counting)  # pyright: ignore[reportArgumentType]
    told: list[Changes] = []
    first.on_change(told.append)
    assert len(await uris(first)) == 2
    assert told.pop() == Changes(
        frozenset({"content://guides/caching", "content://agents/reviewer"}), True
    )
    counted.clear()
    assert not await first.refresh()
    write(root, "guides/new.md", "# New\nzebra\n")
    write(root, "guides/caching.md", CACHING + "\n## Zebra\n")
    assert (await first.refresh()).uris == {"content://guides/new", "content://guides/caching"}
    assert sorted(await found(first, "zebra")) == [
        "content://guides/caching",
        "content://guides/new",
    ]
    (root / "guides" / "new.md").unlink()
    assert await first.refresh() == Changes(frozenset({"content://guides/new"}), False)
    assert await found(first, "zebra") == ["content://guides/caching"]
    await first.close()
    counted.clear()
    second = Library([root], tmp_path / "catalogs", counting)  # pyright: ignore[reportArgumentType]
    assert await found(second, "zebra") == ["content://guides/caching"]
    assert not counted
    await second.close()


async def test_a_file_that_was_only_touched_has_not_changed(opened: Library, root: Path) -> None:
    await uris(opened)
    size = await opened.ask(lambda catalog: catalog.size())
    os.utime(root / "guides" / "caching.md", (1, 1))
    assert not await opened.refresh()
    assert await opened.ask(lambda catalog: catalog.size()) == size


async def test_a_document_is_read_as_it_is_now(opened: Library, root: Path) -> None:
    await uris(opened)
    write(root, "guides/caching.md", "# Now\n")
    entry, text = await opened.read(parse_uri("content://guides/caching"))
    assert (entry.title, text.text) == ("Now", "# Now\n")
    (root / "guides" / "caching.md").unlink()
    with pytest.raises(UnknownContentError):
        await opened.read(parse_uri("content://guides/caching"))


async def test_a_folder_that_disappears_leaves_the_rest(root: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    write(other, "guides/extra.md", "# Extra\nzebra\n")
    both = library(tmp_path / "catalogs", root, other)
    assert len(await uris(both)) == 3
    shutil.rmtree(other)
    with pytest.raises(UnknownContentError):
        await both.read(parse_uri("content://guides/extra"))
    assert await uris(both) == ["content://agents/reviewer", "content://guides/caching"]
    assert [each.reason for each in await both.ask(lambda c: c.left_out(9))] == [
        "there is no such folder"
    ]
    write(other, "guides/extra.md", "# Extra\nzebra\n")
    await both.refresh()
    assert await found(both, "zebra") == ["content://guides/extra"]
    await both.close()


async def test_of_two_files_with_one_address_the_first_roots_stands(
    root: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    write(other, "guides/caching.md", "# Another\n")
    both = library(tmp_path / "catalogs", root, other)
    assert (await document(both, "content://guides/caching")).title == "Prompt caching"
    (left,) = await both.ask(lambda catalog: catalog.left_out(9))
    assert (left.root, left.path) == (1, "guides/caching.md")
    assert "content://guides/caching is " in left.reason
    assert left.reason.endswith("already: rename one")
    (root / "guides" / "caching.md").unlink()
    await both.refresh()
    assert (await document(both, "content://guides/caching")).title == "Another"
    await both.close()


async def test_bad_files_are_named_and_the_rest_works(opened: Library) -> None:
    root = opened.roots.folders[0]
    write(root, "guides/binary.md", b"\x00\x01\x02")
    write(root, "guides/utf16.md", "# Sixteen".encode("utf-16"))
    write(root, "guides/latin.md", "# Caf\xe9 zebra".encode("latin-1"))
    write(root, "guides/yaml.md", "---\ntitle: a: b\n---\n# Y zebra")
    write(root, "guides/bom.md", b"\xef\xbb\xbf---\ntitle: Bom\n---\nzebra\r\nline\r\n")
    assert sorted(await found(opened, "zebra")) == [
        "content://guides/bom",
        "content://guides/latin",
        "content://guides/yaml",
    ]
    assert {each.path for each in await opened.ask(lambda c: c.left_out(9))} == {
        "guides/binary.md",
        "guides/utf16.md",
    }
    problems = {each.path: each.reason for each in await opened.ask(lambda c: c.problems(9))}
    assert problems["guides/latin.md"].startswith("some bytes are not UTF-8")
    assert problems["guides/yaml.md"].startswith("front matter: line 2")
    entry, text = await opened.read(parse_uri("content://guides/bom"))
    assert (entry.title, text.text) == ("Bom", "zebra\nline\n")
    assert not await opened.refresh()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read all")
async def test_a_file_that_may_not_be_read_is_named(opened: Library) -> None:
    file = write(opened.roots.folders[0], "guides/locked.md", "# Locked")
    file.chmod(0)
    assert "content://guides/locked" not in await uris(opened)
    (left,) = await opened.ask(lambda catalog: catalog.left_out(9))
    assert "cannot be read" in left.reason
    file.chmod(stat.S_IRUSR)


async def test_what_is_unknown_is_answered_with_what_is_near(opened: Library) -> None:
    near = "Nearest: content://guides/caching."
    for uri, advice in {
        "content://guides/cachin": f"There is no content://guides/cachin. {near}",
        "content://agents/caching": f"There is no content://agents/caching. {near}",
        "content://guide/caching": "There is no category 'guide'. There are: agents, guides.",
        "content://guides/zzz": "There is no content://guides/zzz. search_content finds what"
        " there is.",
    }.items():
        with pytest.raises(UnknownContentError) as unknown:
            await opened.read(parse_uri(uri))
        assert str(unknown.value) == advice
    with pytest.raises(BadContentUriError):
        parse_uri("content://guides/../../etc/passwd")


async def test_an_empty_library_says_so(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    empty = library(tmp_path / "catalogs", tmp_path / "empty")
    assert await found(empty, "anything") == []
    with pytest.raises(UnknownContentError, match="The library is empty"):
        await empty.read(parse_uri("content://guides/x"))
    await empty.close()


async def test_a_catalog_that_is_broken_is_made_anew(root: Path, tmp_path: Path) -> None:
    folder = tmp_path / "catalogs"
    first = library(folder, root)
    assert len(await uris(first)) == 2
    await first.close()
    (file,) = folder.glob("*.db")
    for path in folder.iterdir():
        path.unlink()
    file.write_bytes(b"no database at all" * 1_000)
    second = library(folder, root)
    assert len(await uris(second)) == 2
    await second.close()


async def test_where_nothing_can_be_written_the_catalog_is_a_temporary_one(
    root: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    made = library(tmp_path / "file" / "catalogs", root)
    assert len(await uris(made)) == 2
    await made.close()


async def test_two_processes_may_index_at_once(root: Path, tmp_path: Path) -> None:
    for number in range(300):
        write(root, f"guides/n{number}.md", f"# Number {number}\nzebra")
    both = [library(tmp_path / "catalogs", root) for _ in range(2)]
    first, second = await asyncio.gather(*(uris(each) for each in both))
    assert first == second
    assert len(first) == 302
    sizes = [await each.ask(lambda catalog: catalog.size()) for each in both]
    assert sizes[0] == sizes[1]
    for each in both:
        await each.close()


async def test_an_answer_waits_no_longer_than_its_patience(root: Path, tmp_path: Path) -> None:
    go = asyncio.Event()
    loop = asyncio.get_running_loop()

    def slow(texts: "list[str] | tuple[str, ...]") -> list[int]:
        asyncio.run_coroutine_threadsafe(go.wait(), loop).result()
        return count(texts)

    made = Library([root], tmp_path / "catalogs", slow)  # pyright: ignore[reportArgumentType]
    assert await made.ask(lambda catalog: catalog.categories(), patience=0) == []
    assert made.indexing is not None
    go.set()
    assert len(await uris(made)) == 2
    assert made.indexing is None
    await made.close()


async def test_it_opens_again_after_it_was_closed(opened: Library) -> None:
    assert len(await uris(opened)) == 2
    await opened.close()
    assert len(await uris(opened)) == 2


@pytest.mark.slow
async def test_a_change_is_seen_while_it_watches(root: Path, tmp_path: Path) -> None:
    coming = tmp_path / "coming"
    watched = library(tmp_path / "catalogs", root, coming)
    told: asyncio.Queue[Changes] = asyncio.Queue()
    watched.on_change(told.put_nowait)
    stop = asyncio.Event()
    watching = asyncio.create_task(watched.watch(stop))
    async with asyncio.timeout(30):
        assert len((await told.get()).uris) == 2
        changed: frozenset[str] = frozenset()
        number = 0
        while not changed:
            # It takes a moment until the system watches: the file is written until it is seen.
            number += 1
            write(root, "guides/live.md", f"# Live {number}\n")
            try:
                changed = (await asyncio.wait_for(told.get(), 0.2)).uris
            except TimeoutError:
                continue
        assert changed == {"content://guides/live"}
        (root / "guides" / "live.md").unlink()
        while "content://guides/live" in await uris(watched):
            await told.get()
        write(coming, "agents/new.md", "# Came later\n")
        while "content://agents/new" not in (await told.get()).uris:
            pass
        stop.set()
        await watching
    await watched.close()


def test_a_damaged_catalog_that_cannot_be_removed_is_left_and_another_made(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    path.mkdir()
    made = open_catalog(path)
    assert made != path
    sqlite3.connect(made).close()
    shutil.rmtree(made.parent)


async def test_an_error_of_the_catalog_says_what_to_do(opened: Library) -> None:
    def broken(_: object) -> None:
        raise sqlite3.DatabaseError("disk image is malformed")

    with pytest.raises(ContentError, match="delete it, and it is made anew"):
        await opened.ask(broken)


def test_only_so_many_conversations_are_remembered() -> None:
    conversations = Conversations()
    for number in range(300):
        conversations.begin(str(number))
    assert conversations.held("0") is None
    assert conversations.held("299") is not None
