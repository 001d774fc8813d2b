"""The page of the reports, for hosts of MCP Apps; for all others the text alone."""

import re
from pathlib import Path
from typing import Any, Literal

import pytest
from mcp import Client, StdioServerParameters
from mcp.client.extension import ClientExtension, advertise
from mcp.types import CallToolResult, TextContent, TextResourceContents

from tests.server.processes import SERVE, server_environment, started
from tests.server.test_http import port_of
from tests.transcripts import SESSION, answer, asked, tool_result, tool_use, usage, write
from token_tracking_server.app import Server
from token_tracking_server.dashboard.app_view import DATA_KEY
from token_tracking_server.report_app import PAGE_TYPE, PAGE_URI, ReportApp
from token_tracking_server.settings import Settings

Mode = Literal["auto", "legacy"]
both_generations = pytest.mark.parametrize("mode", ["auto", "legacy"])
REPORTS: list[tuple[str, dict[str, str], str]] = [
    ("session_report", {"session_id": SESSION}, "timeline"),
    ("session_report", {"session_id": SESSION, "view": "items"}, "timeline"),
    ("efficiency_report", {}, "snapshot"),
    ("efficiency_report", {"view": "trend", "period": "last_week"}, "snapshot"),
]


def shows(*types: str) -> ClientExtension:
    """What a host declares that shows pages of these types."""
    return advertise(ReportApp.identifier, {"mimeTypes": [*types]})


@pytest.fixture
def session(settings: Settings, claude: Path) -> None:
    write(
        claude,
        [
            asked(uuid="1"),
            answer(uuid="2", parent="1", content=[tool_use("toolu_1")]),
            asked([tool_result("toolu_1", "x" * 2_000)], uuid="3", parent="2"),
            answer("msg_b", uuid="4", parent="3", second=3_000),
        ],
    )


def text_of(result: CallToolResult) -> str:
    (content,) = result.content
    assert isinstance(content, TextContent)
    assert not result.is_error, content.text
    assert result.structured_content is None
    return content.text


def data_of(result: CallToolResult) -> dict[str, Any] | None:
    return (result.meta or {}).get(DATA_KEY)


def rereads() -> list[dict[str, Any]]:
    """A session that reads the same file twice, 20,000 tokens each time."""
    lines = [asked("x" * 300)]
    for number in range(3):
        read, written = (0, 1_000) if not number else (1_000 + 20_010 * (number - 1), 20_010)
        if number:
            result = tool_result(f"toolu_{number - 1}", "y" * 60_000)
            lines.append(
                asked([result], uuid=f"r{number}", parent=f"a{number - 1}", second=2 * number + 1)
            )
        lines.append(
            answer(
                f"msg_{number}",
                uuid=f"a{number}",
                parent=f"r{number}" if number else "u-u",
                second=2 * number + 2,
                content=[tool_use(f"toolu_{number}", "Read", file_path="/a.py")],
                billed=usage(cache_read_input_tokens=read, cache_creation_input_tokens=written),
            )
        )
    return lines


async def page_of(server: Server, arguments: dict[str, str]) -> dict[str, Any]:
    """What the page gets of a period."""
    async with Client(server, extensions=[shows(PAGE_TYPE)]) as host:
        data = data_of(await host.call_tool("efficiency_report", arguments))
    assert data is not None
    return data


@both_generations
@pytest.mark.parametrize(("tool", "arguments", "kind"), REPORTS)
@pytest.mark.usefixtures("session")
async def test_a_host_that_shows_pages_gets_the_data_beside_the_same_text(
    server: Server, mode: Mode, tool: str, arguments: dict[str, str], kind: str
) -> None:
    async with (
        Client(server, mode=mode) as plain,
        Client(server, mode=mode, extensions=[shows(PAGE_TYPE)]) as host,
    ):
        told = await plain.call_tool(tool, arguments)
        shown = await host.call_tool(tool, arguments)
    assert text_of(shown) == text_of(told)
    assert data_of(told) is None
    data = data_of(shown)
    assert data is not None
    assert (data["kind"], data["timezone"]) == (kind, "UTC")
    assert kind == "snapshot" or data["timeline"]["session_id"] == SESSION


@pytest.mark.parametrize(
    "arguments", [{}, {"view": "snapshot"}, {"view": "trend"}, {"by": "model"}]
)
@pytest.mark.usefixtures("session")
async def test_the_page_shows_a_period_with_its_advice(
    server: Server, arguments: dict[str, str]
) -> None:
    data = await page_of(server, arguments)
    assert (data["view"], data["advice"], data["top"]) == ("snapshot", [], None)
    assert data["snapshot"]["trend"]


@pytest.mark.parametrize(
    ("arguments", "by", "metric"),
    [
        ({"view": "top"}, None, "cost"),
        ({"view": "top", "by": "carried"}, None, "carried"),
        ({"view": "top", "by": "tool"}, "tool", "cost"),
        ({"by": "mcp-server"}, "mcp-server", "cost"),
    ],
)
@pytest.mark.usefixtures("session")
async def test_the_page_shows_the_list_that_was_asked_for(
    server: Server, arguments: dict[str, str], by: str | None, metric: str
) -> None:
    data = await page_of(server, arguments)
    assert (data["view"], data["advice"], data["snapshot"]["trend"]) == ("top", None, None)
    assert (data["top"]["by"], data["top"]["metric"]) == (by, metric)
    assert data["top"]["rows"]
    assert data["snapshot"]["by_category"] == []


async def test_the_page_gets_the_advice_of_the_text(server: Server, claude: Path) -> None:
    write(claude, rereads())
    data = await page_of(server, {"view": "advice"})
    async with Client(server) as plain:
        text = text_of(await plain.call_tool("efficiency_report", {"view": "advice"}))
    assert (data["view"], data["top"], data["snapshot"]["trend"]) == ("advice", None, None)
    assert data["advice"]
    assert all(each["title"].split("`")[0] in text for each in data["advice"])
    assert (await page_of(server, {}))["advice"] == data["advice"]


@pytest.mark.usefixtures("session")
async def test_a_host_that_shows_other_pages_gets_the_text_alone(server: Server) -> None:
    async with Client(server, extensions=[shows("text/html")]) as host:
        result = await host.call_tool("session_report", {"session_id": SESSION})
    assert text_of(result)
    assert data_of(result) is None


@pytest.mark.usefixtures("session")
async def test_an_error_carries_no_data(server: Server) -> None:
    async with Client(server, extensions=[shows(PAGE_TYPE)]) as host:
        result = await host.call_tool("efficiency_report", {"period": "soon"})
    assert result.is_error
    assert data_of(result) is None


@both_generations
async def test_the_report_tools_name_the_page_and_it_is_there(server: Server, mode: Mode) -> None:
    async with Client(server, mode=mode) as client:
        assert client.server_capabilities.extensions == {
            "io.modelcontextprotocol/skills": {"directoryRead": True},
            "io.modelcontextprotocol/ui": {},
        }
        named = {each.name: each.meta for each in (await client.list_tools()).tools if each.meta}
        listed = [each.uri for each in (await client.list_resources()).resources]
        (page,) = (await client.read_resource(PAGE_URI)).contents
    meta = {"ui": {"resourceUri": PAGE_URI}}
    assert named == {"session_report": meta, "efficiency_report": meta}
    assert PAGE_URI not in listed
    assert isinstance(page, TextResourceContents)
    assert page.mime_type == PAGE_TYPE
    assert page.meta is not None
    assert not any(page.meta["ui"]["csp"].values())
    assert page.text.lower().startswith("<!doctype html>")


async def test_the_page_asks_nothing_of_an_outside_address(client: Client) -> None:
    (page,) = (await client.read_resource(PAGE_URI)).contents
    assert isinstance(page, TextResourceContents)
    loads = r"""(?:src|href|action)\s*=\s*["']?(?:https?:)?//|@import|url\(\s*["']?(?:https?:)?//"""
    assert not re.search(loads, page.text)


@both_generations
@pytest.mark.parametrize("transport", ["stdio", "http"])
@pytest.mark.usefixtures("session")
async def test_the_data_come_through_every_transport(
    settings: Settings, mode: Mode, transport: str
) -> None:
    environment = server_environment(settings)
    arguments = {"session_id": SESSION}
    if transport == "stdio":
        place = StdioServerParameters(command=SERVE[0], args=SERVE[1:], env=environment)
        async with Client(place, mode=mode, extensions=[shows(PAGE_TYPE)]) as host:
            result = await host.call_tool("session_report", arguments)
    else:
        with started(environment, [*SERVE, "--http", "127.0.0.1:0"]) as process:
            url = f"http://127.0.0.1:{port_of(process)}/mcp"
            async with Client(url, mode=mode, extensions=[shows(PAGE_TYPE)]) as host:
                result = await host.call_tool("session_report", arguments)
    assert text_of(result).startswith(f"**Session `{SESSION}`")
    data = data_of(result)
    assert data is not None
    assert data["timeline"]["total_requests"] == 2
