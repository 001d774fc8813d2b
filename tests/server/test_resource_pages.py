"""`resources/list` in pages."""

import base64
from collections.abc import Sequence
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp import Client, MCPError
from mcp.server import MCPServer
from mcp.types import INTERNAL_ERROR, INVALID_PARAMS, Resource

from token_tracking_server.content.errors import ContentError
from token_tracking_server.paging import PAGE_SIZE, add_paged_resources, page_of

Mode = Literal["auto", "legacy"]
both_generations = pytest.mark.parametrize("mode", ["auto", "legacy"])


def category(name: str) -> Resource:
    return Resource(uri=f"content://{name}", name=name)


class Library:
    """Categories that a test changes."""

    def __init__(self, count: int) -> None:
        self.categories = [category(f"c{number:03}") for number in range(count)]

    async def listed(self) -> Sequence[Resource]:
        return self.categories


def server_of(library: Library) -> MCPServer[Any]:
    server = MCPServer[Any]("pages", log_level="WARNING")

    @server.resource("efficiency://summary")
    def summary() -> str:  # pyright: ignore[reportUnusedFunction]
        return "summary"

    add_paged_resources(server, library.listed)
    return server


async def pages(client: Client) -> list[list[str]]:
    """The URIs of every page."""
    found: list[list[str]] = []
    cursor = None
    while True:
        result = await client.list_resources(cursor=cursor)
        found.append([each.uri for each in result.resources])
        cursor = result.next_cursor
        if cursor is None:
            return found


@both_generations
async def test_every_resource_is_listed_once(mode: Mode) -> None:
    library = Library(2 * PAGE_SIZE)
    async with Client(server_of(library), mode=mode) as client:
        first, second, third = await pages(client)
    assert first[0] == "efficiency://summary"
    assert [len(first), len(second), len(third)] == [PAGE_SIZE, PAGE_SIZE, 1]
    assert [*first[1:], *second, *third] == [each.uri for each in library.categories]


async def test_a_full_page_is_the_last_if_nothing_follows() -> None:
    async with Client(server_of(Library(PAGE_SIZE - 1))) as client:
        assert [len(page) for page in await pages(client)] == [PAGE_SIZE]


async def test_without_a_library_the_server_s_own_are_listed() -> None:
    async with Client(server_of(Library(0))) as client:
        assert await pages(client) == [["efficiency://summary"]]


async def test_what_comes_or_goes_between_two_pages_shifts_nothing() -> None:
    library = Library(PAGE_SIZE + 20)
    async with Client(server_of(library), cache=None) as client:
        first = await client.list_resources()
        # The last that was listed goes, one before it comes, and one after it.
        del library.categories[PAGE_SIZE - 2]
        library.categories += [category("a-new-one"), category("z-new-one")]
        second = await client.list_resources(cursor=first.next_cursor)
    names = [each.name for each in second.resources]
    assert names == [f"c{number:03}" for number in range(PAGE_SIZE - 1, PAGE_SIZE + 20)] + [
        "z-new-one"
    ]


@both_generations
@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "1",
        "nonsense",
        "é",
        "x" * 100_000,
        base64.urlsafe_b64encode(b"\xff\xfe").decode(),
        base64.urlsafe_b64encode(b"resources").decode(),
        base64.urlsafe_b64encode(b"skills\nskill://a/SKILL.md").decode(),
    ],
)
async def test_a_cursor_that_is_none_is_refused(mode: Mode, cursor: str) -> None:
    async with Client(server_of(Library(60)), mode=mode) as client:
        with pytest.raises(MCPError) as caught:
            await client.list_resources(cursor=cursor)
    assert caught.value.code == INVALID_PARAMS
    assert str(caught.value) == (
        "This cursor is not of this list. Pass the nextCursor of the page before, as it is, or no"
        " cursor for the first page."
    )


async def test_a_library_that_cannot_answer_says_why() -> None:
    async def broken() -> Sequence[Resource]:
        raise ContentError("The catalog is locked: try again.")

    server = MCPServer[Any]("pages", log_level="WARNING")
    add_paged_resources(server, broken)
    async with Client(server) as client:
        with pytest.raises(MCPError, match="The catalog is locked: try again") as caught:
            await client.list_resources()
    assert caught.value.code == INTERNAL_ERROR


@given(st.sets(st.text(st.characters(exclude_categories=["Cs"]))), st.integers(1, 7))
def test_pages_joined_are_the_list(names: set[str], size: int) -> None:
    entries = sorted(names)
    joined: list[str] = []
    cursor = None
    while True:
        page = page_of(entries, str, cursor, of="names", size=size)
        joined += page.entries
        cursor = page.next_cursor
        if cursor is None:
            break
        assert len(page.entries) == size
    assert joined == entries
