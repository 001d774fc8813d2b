"""Efficiency as resources, and as views of the tools: the same words."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from mcp import Client
from mcp.types import INVALID_PARAMS

from tests.server.asking import call, read, refused, unreadable
from tests.transcripts import SESSION, answer, asked, tool_result, tool_use, usage, write
from token_tracking_server.app import create_server
from token_tracking_server.settings import Settings

CACHED = usage(cache_creation_input_tokens=20_000)
READ = usage(cache_read_input_tokens=20_000, cache_creation_input_tokens=5_000)
PERIODS = "use today, 7d, 30d, all, or FROM..TO such as 2026-11-01..2026-11-08"
METRICS = "cost, tokens, efficiency, carried"
GROUPS = "item, path, tool, mcp-server, skill, agent, category, project, kind"


@pytest.fixture
def session(settings: Settings, claude: Path) -> None:
    """A file that is read, and carried by one request more."""
    write(
        claude,
        [
            asked(uuid="1"),
            answer(
                uuid="2",
                parent="1",
                content=[tool_use("toolu_1", "Read", file_path="/home/sam/shop/cart.py")],
                billed=CACHED,
                stop="tool_use",
            ),
            asked([tool_result("toolu_1", "x" * 15_000)], uuid="3", parent="2", second=11),
            answer("msg_b", uuid="4", parent="3", second=12, billed=READ),
            asked("more", uuid="5", parent="4", second=13),
            answer("msg_c", uuid="6", parent="5", second=14, billed=READ),
        ],
    )


@pytest.mark.usefixtures("session")
@pytest.mark.parametrize(
    ("uri", "arguments", "says"),
    [
        ("snapshot/all", {"view": "snapshot"}, "**All time: $0."),
        ("snapshot/2026-03-02..2026-03-03", {}, "**From 2026-03-02 to 2026-03-03 (not included)"),
        ("snapshot/last_hour", {"view": "snapshot", "period": "last_hour"}, "no messages"),
        ("trends/all", {"view": "trend"}, "| 3 |"),
        ("top/cost", {"view": "top"}, "Read"),
        ("top/carried", {"view": "top", "by": "carried"}, "the requests that carried them"),
        ("top/tokens", {"view": "top", "by": "tokens"}, "the tokens that they brought"),
        ("top/efficiency", {"view": "top", "by": "efficiency"}, "what caching saved"),
        ("advice", {"view": "advice"}, "**All time: "),
    ],
)
async def test_a_resource_and_a_view_say_the_same(
    client: Client, uri: str, arguments: dict[str, str], says: str
) -> None:
    text = await read(client, f"efficiency://{uri}")
    assert says in text
    if arguments:
        assert await call(client, "efficiency_report", **arguments) == text


@pytest.mark.usefixtures("session")
@pytest.mark.parametrize(
    ("by", "says"),
    [
        ("tool", "| Read | 1 |"),
        ("path", "| `/home/sam/shop/cart.py` | 1 |"),
        ("item", "/home/sam/shop/cart.py` |"),
        ("mcp-server", "| From no MCP server |"),
        ("agent", "| Main conversation |"),
        ("category", "| Read | 1 |"),
        ("skill", "Of no skill"),
    ],
)
async def test_the_prompts_money_is_told_by_every_grouping(
    client: Client, by: str, says: str
) -> None:
    text = await call(client, "efficiency_report", by=by)
    assert says in text
    assert f"** for prompts, by {by}" in text
    assert await call(client, "efficiency_report", by=by, view="top") == text


@pytest.mark.usefixtures("session")
async def test_a_session_names_its_dearest_items(client: Client) -> None:
    summary = await call(client, "session_report", session_id=SESSION)
    assert "| Dearest in the prompts | Tokens | Requests | Cost | Carrying | Share |" in summary
    assert "/home/sam/shop/cart.py` |" in summary
    assert await read(client, f"efficiency://session/{SESSION}") == summary
    items = await call(client, "session_report", session_id=SESSION[:8], view="items")
    assert items.startswith(f"**Session `{SESSION}`: $")
    assert "prompt tokens in 3 requests, by item" in items


@pytest.mark.usefixtures("session")
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"by": "hour"}, f"There is no grouping 'hour': those that there are: {GROUPS}."),
        ({"by": "tokens"}, "by=tokens is for view=top."),
        ({"by": "tool", "view": "trend"}, "view=trend takes no `by`: leave it out."),
        ({"view": "advice", "period": "soon"}, f"There is no period 'soon': {PERIODS}"),
        ({"view": "graph"}, "view: Input should be 'totals', 'snapshot', 'trend', 'top' or"),
    ],
)
async def test_a_view_that_does_not_exist_says_which_do(
    client: Client, arguments: dict[str, str], says: str
) -> None:
    assert says in await refused(client, "efficiency_report", **arguments)


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("snapshot/soon", f"There is no period 'soon': {PERIODS}"),
        ("trends/2026-11-08..2026-11-01", "is empty"),
        ("top/size", f"There is no metric 'size': those that there are: {METRICS}."),
    ],
)
async def test_a_resource_that_does_not_exist_says_which_do(
    client: Client, uri: str, says: str
) -> None:
    error = await unreadable(client, f"efficiency://{uri}")
    assert error.code == INVALID_PARAMS
    assert says in error.message


@pytest.mark.usefixtures("session")
async def test_every_listed_resource_can_be_read(client: Client) -> None:
    listed = (await client.list_resources()).resources
    figures = [each.uri for each in listed if each.uri.startswith("efficiency://")]
    assert len(figures) == 6
    for uri in figures:
        assert await read(client, uri)


async def test_an_empty_ledger_has_answers_too(client: Client) -> None:
    for view in ("snapshot", "trend", "top", "advice"):
        text = await call(client, "efficiency_report", view=view)
        assert not re.search(r"\b(None|nan|inf)\b", text)
        assert len(text) < 400


@pytest.mark.usefixtures("session")
async def test_what_is_not_attributed_yet_is_told(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr("token_tracking.attributing.attributor.Attributor.settle", fail)
    async with Client(create_server(settings, {})) as client:
        texts: Sequence[str] = [
            await call(client, "efficiency_report", view="snapshot"),
            await call(client, "session_report", session_id=SESSION),
        ]
        for text in texts:
            assert (
                "> **Items are not up to date:** a fault in token-tracking, which stands in the"
                " server's log." in text
            )
        # Totals need no attribution.
        assert "> **" not in await call(client, "efficiency_report")
