"""What the ledger knows of searches and loads that the server answered."""

from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.types import TextContent
from msgspec import structs

from tests.content.libraries import CACHING, write
from tests.server.asking import call, read
from tests.transcripts import SESSION, answer, tool_use, usage
from tests.transcripts import write as write_transcript
from token_tracking.counting import encoding_tokens
from token_tracking.store import SessionLoad, TokenStore
from token_tracking_server.app import Server, create_server
from token_tracking_server.settings import Settings

CACHED, REVIEWER = "content://guides/caching", "content://agents/reviewer"
BODY = CACHING.partition("---\n")[2].partition("---\n")[2]
LOAD = "mcp__token-tracking__load_content"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "library"
    write(folder, "guides/caching.md", CACHING)
    write(folder, "agents/reviewer.md", "Review the code with care.\n")
    return folder


@pytest.fixture
def given(settings: Settings, root: Path) -> Settings:
    return structs.replace(settings, library=(root,))


@pytest.fixture
def server(given: Settings) -> Server:
    return create_server(given, {"CLAUDE_CODE_SESSION_ID": SESSION})


async def load(client: Client, call_id: str | None, *uris: str, **more: Any) -> str:
    meta: Any = None if call_id is None else {"claudecode/toolUseId": call_id}
    result = await client.call_tool("load_content", {"uris": uris, **more}, meta=meta)
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text


async def recorded(given: Settings, session: str = SESSION) -> list[SessionLoad]:
    async with TokenStore.opened(given.database) as store:
        return await store.session_loads(session)


async def test_each_load_has_its_content_its_overhead_and_its_call(
    server: Server, given: Settings
) -> None:
    async with Client(server) as client:
        text = await load(client, "toolu_1", CACHED, REVIEWER)
    found = {each.uri: each for each in await recorded(given)}
    contents = {
        CACHED: encoding_tokens(BODY),
        REVIEWER: encoding_tokens("Review the code with care.\n"),
    }
    assert {uri: each.tokens for uri, each in found.items()} == contents
    # What is no content is overhead of one of them, once.
    assert found[CACHED].overhead_tokens == encoding_tokens(text) - sum(contents.values())
    assert found[REVIEWER].overhead_tokens == 0
    for each in found.values():
        assert (each.kind, each.tool_use_id, each.session_id) == ("load", "toolu_1", SESSION)
        assert each.category == each.uri.split("/")[2]
        assert each.method == "o200k_base"


async def test_the_librarys_size_and_the_weight_of_its_tools_stand_beside_it(
    server: Server, given: Settings
) -> None:
    async with Client(server) as client:
        await load(client, "toolu_1", REVIEWER)
        tools = {each.name: each for each in (await client.list_tools()).tools}
    (found,) = await recorded(given)
    assert found.library is not None
    assert (found.library.documents, found.library.tokens) == (
        2,
        encoding_tokens(BODY) + encoding_tokens("Review the code with care.\n"),
    )
    weight = sum(
        encoding_tokens((tools[name].description or "") + str(tools[name].input_schema))
        for name in ("search_content", "load_content")
    )
    assert 0.7 < found.library.overhead_tokens / weight < 1.3


async def test_searches_repeats_and_refusals_are_overhead(server: Server, given: Settings) -> None:
    async with Client(server) as client:
        await call(client, "search_content", query="cache")
        first = await load(client, "toolu_1", REVIEWER)
        again = await load(client, "toolu_2", REVIEWER)
        wrong = await load(client, "toolu_3", "content://agents/nobody")
    found = {each.tool_use_id: each for each in await recorded(given)}
    assert {key: each.kind for key, each in found.items()} == {
        None: "search",
        "toolu_1": "load",
        "toolu_2": "notice",
        "toolu_3": "notice",
    }
    assert (found["toolu_1"].tokens or 0) + found["toolu_1"].overhead_tokens == encoding_tokens(first)
    for key, text in {"toolu_2": again, "toolu_3": wrong}.items():
        assert (found[key].tokens, found[key].overhead_tokens) == (0, encoding_tokens(text))


async def test_a_read_resource_is_a_load(server: Server, given: Settings) -> None:
    async with Client(server) as client:
        await read(client, f"{CACHED}#lapses")
        await read(client, "content://guides")
    (found,) = await recorded(given)
    assert (found.uri, found.kind) == (f"{CACHED}#lapses", "load")


async def test_one_document_in_three_spellings_is_sent_and_recorded_once(
    server: Server, given: Settings
) -> None:
    spellings = (REVIEWER, "content://agents/r%65viewer", f"{REVIEWER}.md")
    async with Client(server) as client:
        text = await load(client, "toolu_1", *spellings)
    assert text.count("Review the code") == 1
    assert len(await recorded(given)) == 1


@pytest.mark.parametrize("call_id", ["toolu\0x", "x" * 9_000, "é", ""])
async def test_an_id_that_is_none_takes_no_content_away(
    server: Server, given: Settings, call_id: str
) -> None:
    async with Client(server) as client:
        assert "Review the code" in await load(client, call_id, REVIEWER)
    (found,) = await recorded(given)
    assert found.tool_use_id is None


@pytest.mark.parametrize("session", ["s" * 9_000, "\udcff", "${CLAUDE_CODE_SESSION_ID}"])
async def test_a_session_id_that_is_none_takes_no_content_away(
    given: Settings, session: str
) -> None:
    server = create_server(given, {"CLAUDE_CODE_SESSION_ID": session})
    async with Client(server) as client:
        assert "Review the code" in await load(client, "toolu_1", REVIEWER)
        assert "reviewer" in await call(client, "search_content", query="review")


async def test_a_heading_without_end_has_an_address_that_resolves(
    server: Server, root: Path
) -> None:
    write(root, "guides/long.md", f"# A\n\n## {'слово ' * 400}\n\nzebra\n")
    async with Client(server) as client:
        index = await call(client, "search_content", query="zebra")
        (uri,) = [word for word in index.split() if word.startswith("content://")]
        assert len(uri) < 400
        assert "zebra" in await load(client, "toolu_1", uri)


async def test_a_load_in_part_is_not_taken_for_the_whole_after_a_restart(
    server: Server, given: Settings, root: Path
) -> None:
    write(
        root, "guides/long.md", "# L\n" + "".join(f"## S{n}\n{'word ' * 300}\n" for n in range(5))
    )
    uri = "content://guides/long"
    async with Client(server) as client:
        assert "## S0" in await load(client, "toolu_1", uri, max_tokens=1_000)
    restarted = create_server(given, {"CLAUDE_CODE_SESSION_ID": SESSION})
    async with Client(restarted) as client:
        assert "## S0" in await load(client, "toolu_2", uri, max_tokens=1_000)


def shown(call_id: str, agent: str | None = None) -> dict[str, Any]:
    """The line of an answer that calls load_content, of the session or one of its agents."""
    line = answer(
        f"msg_{call_id}",
        uuid=f"u-{call_id}",
        content=[tool_use(call_id, LOAD, uris=[REVIEWER])],
        billed=usage(10, cache_read_input_tokens=9_000),
    )
    return line if agent is None else {**line, "isSidechain": True, "agentId": agent}


async def test_an_agent_does_not_hold_what_the_main_conversation_loaded(
    server: Server, claude: Path
) -> None:
    lines = [shown("toolu_1"), shown("toolu_2", agent="a1"), shown("toolu_3", agent="a1")]
    async with Client(server) as client:
        assert "Review the code" in await load(client, "toolu_1", REVIEWER)
        write_transcript(claude, lines)
        assert "Review the code" in await load(client, "toolu_2", REVIEWER)
        assert "Review the code" not in await load(client, "toolu_3", REVIEWER)


async def test_the_main_conversation_does_not_hold_what_an_agent_loaded(
    server: Server, claude: Path
) -> None:
    async with Client(server) as client:
        assert "Review the code" in await load(client, "toolu_1", REVIEWER)
        write_transcript(claude, [shown("toolu_1", agent="a1"), shown("toolu_2")])
        assert "Review the code" in await load(client, "toolu_2", REVIEWER)
        assert "Review the code" not in await load(client, "toolu_4", REVIEWER)
