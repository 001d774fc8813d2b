"""The library as a source of documents for the window manager."""

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.content.libraries import CACHING, library, write
from token_tracking.counting import encoding_tokens_many
from token_tracking.window import Budget, ContextWindow, Document
from token_tracking.window.documents import tagged
from token_tracking_server.content.catalog import Catalog, Found
from token_tracking_server.content.errors import ContentError, UnknownContentError
from token_tracking_server.content.library import Library
from token_tracking_server.content.uris import parse_uri
from token_tracking_server.content.window_documents import MOST, LibraryDocuments
from token_tracking_server.sizes import Sizes

QUESTION = "When does a cache write reach break-even?"
WAITING = "It waits. " * 60
LONG = "# Long\n\n" + "".join(
    f"## Chapter {number}\n\nThe heron number {number} stands in the reeds. {WAITING}\n\n"
    for number in range(8)
)
PARTS = "# Egrets\n\nEgrets wade.\n\n" + "".join(
    f"## Pond {number}\n\n{'Still water. ' * 40}\n\n" for number in range(8)
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "library"
    write(folder, "guides/caching.md", CACHING)
    write(folder, "guides/long.md", LONG)
    write(folder, "agents/reviewer.md", "# Reviewer\n\nReview the code for its cache.\n")
    return folder


@pytest.fixture
async def opened(root: Path, tmp_path: Path) -> AsyncIterator[Library]:
    made = Library([root], tmp_path / "catalogs", encoding_tokens_many)
    yield made
    await made.close()


def tokens(documents: list[Document]) -> int:
    sizes = Sizes()
    return sum(sizes.count(tagged(each) + "\n") for each in documents)


async def test_the_best_section_comes_whole_with_title_address_and_score(opened: Library) -> None:
    best, *rest = await LibraryDocuments(opened).search(QUESTION, 2_000)
    assert best == Document(
        text="## Break-even\n\nA write costs more than a read: it pays at the second request.",
        title="Prompt caching > Break-even",
        uri="content://guides/caching#break-even",
        score=1.0,
    )
    assert all(each.score is not None and each.score < 1 for each in rest)


async def test_the_order_is_that_of_the_library_s_own_search(opened: Library) -> None:
    hits = await opened.ask(lambda catalog: catalog.search("cache", None, MOST))
    documents = await LibraryDocuments(opened).search("cache", 5_000)
    assert len(hits) > 1
    assert [each.uri for each in documents] == [each.uri for each in hits]
    assert [each.score for each in documents] == [1 / rank for rank in range(1, len(hits) + 1)]


@pytest.mark.parametrize("query", ["heron in the reeds", "cache", "heron cache code"])
async def test_never_more_than_the_room_tags_included(opened: Library, query: str) -> None:
    source = LibraryDocuments(opened)
    for room in (*range(1, 700, 13), 1_000, 2_000, 5_000):
        documents = await source.search(query, room)
        assert tokens(documents) <= room
        assert documents or room < 120


async def test_a_section_that_does_not_fit_gives_the_sections_it_begins_with(
    opened: Library, root: Path
) -> None:
    write(root, "guides/egrets.md", PARTS)
    (document,) = await LibraryDocuments(opened, most=1).search("egrets", 600)
    assert PARTS.startswith(document.text)
    assert PARTS[len(document.text) :].lstrip().startswith("## Pond")
    assert document.text.count("## Pond") >= 2


async def test_where_not_even_its_beginning_fits_the_lines_that_match_come(
    opened: Library, root: Path
) -> None:
    lines = "".join(f"{number} of many lines about nothing much.\n" for number in range(100))
    write(root, "guides/lines.md", f"# Lines\n{lines}The kingfisher dives.\n{lines}")
    (document,) = await LibraryDocuments(opened).search("kingfisher", 150)
    assert "The kingfisher dives." in document.text
    assert tokens([document]) <= 150


@pytest.mark.parametrize(
    ("query", "room"), [("", 500), ("zebra", 500), ("cache", 0), ("cache", -5)]
)
async def test_nothing_comes_where_nothing_matches_or_there_is_no_room(
    opened: Library, query: str, room: int
) -> None:
    assert await LibraryDocuments(opened).search(query, room) == []


async def test_only_a_category_is_searched_where_one_is_named(opened: Library) -> None:
    documents = await LibraryDocuments(opened, category="agents").search("cache", 2_000)
    assert [each.uri for each in documents] == ["content://agents/reviewer"]
    with pytest.raises(UnknownContentError, match="no category 'agent'"):
        await LibraryDocuments(opened, category="agent").search("cache", 2_000)


async def test_no_more_documents_than_asked_for(opened: Library) -> None:
    assert len(await LibraryDocuments(opened, most=1).search("cache", 5_000)) == 1


async def test_a_document_that_went_since_the_search_is_passed_over(
    opened: Library, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = Catalog.search

    def removed(self: Catalog, *args: Any) -> list[Found]:
        found = search(self, *args)
        (root / "guides/caching.md").unlink(missing_ok=True)
        return found

    monkeypatch.setattr(Catalog, "search", removed)
    documents = await LibraryDocuments(opened).search("cache", 2_000)
    assert [each.uri for each in documents] == ["content://agents/reviewer"]


async def test_a_section_that_was_renamed_since_the_search_is_passed_over(
    opened: Library, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = Catalog.search

    def renamed(self: Catalog, *args: Any) -> list[Found]:
        found = search(self, *args)
        write(root, "guides/caching.md", CACHING.replace("## Break-even", "## When"))
        return found

    monkeypatch.setattr(Catalog, "search", renamed)
    documents = await LibraryDocuments(opened).search(QUESTION, 2_000)
    assert "content://guides/caching#break-even" not in [each.uri for each in documents]


async def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    made = library(tmp_path / "catalogs", tmp_path / "nowhere")
    with pytest.raises(ContentError, match="nowhere"):
        await LibraryDocuments(made).search("cache", 500)
    await made.close()


async def test_nothing_is_counted_on_the_event_loop(opened: Library) -> None:
    threads: set[int] = set()

    class Watched(Sizes):
        def count(self, text: str) -> int:
            threads.add(threading.get_ident())
            return super().count(text)

    assert await LibraryDocuments(opened, sizes=Watched()).search("cache", 2_000)
    assert threads
    assert threading.get_ident() not in threads


async def test_an_opened_folder_is_read_before_the_first_search_and_kept_up_with(
    root: Path, tmp_path: Path
) -> None:
    async with LibraryDocuments.opened(root, catalogs=tmp_path / "catalogs") as documents:
        assert (await documents.search(QUESTION, 2_000))[0].title == "Prompt caching > Break-even"
        write(root, "guides/otters.md", "# Otters\n\nOtters hold hands.\n")
        async with asyncio.timeout(30):
            found: list[Document] = []
            while not found:
                found = await documents.search("otters", 2_000)
    assert [each.uri for each in found] == ["content://guides/otters"]


async def test_without_a_folder_the_server_s_library_is_searched() -> None:
    async with LibraryDocuments.opened() as documents:
        found = await documents.search("prompt cache break-even", 3_000)
    assert "content://guides/prompt-caching" in (found[0].uri or "")


async def test_the_window_puts_what_was_found_before_what_the_user_says(opened: Library) -> None:
    window = ContextWindow("claude-opus-4-8", Budget.small())
    asked = [{"role": "user", "content": QUESTION}]
    prepared = await window.prepare("Be brief.", asked, documents=LibraryDocuments(opened))
    assert "it pays at the second request." in str(prepared.messages[0]["content"])
    assert 0 < prepared.tokens.documents <= 1_500


async def test_the_addresses_can_be_loaded(opened: Library) -> None:
    for each in await LibraryDocuments(opened).search("heron cache code", 5_000):
        address = parse_uri(each.uri or "")
        entry, _ = await opened.read(address)
        assert not address.anchor or entry.section_of(address.anchor) is not None
