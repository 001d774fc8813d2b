"""The known traps of MCP servers (DESIGN section 9), each with its test."""

from pathlib import Path
from typing import Any, Literal

import pytest
from mcp import Client, MCPError
from mcp.types import PromptReference

from tests.server.asking import call, prompt, read, refused
from tests.transcripts import SESSION, answer, write
from token_tracking_server.app import Server
from token_tracking_server.questions import Questions
from token_tracking_server.settings import Settings

Mode = Literal["auto", "legacy"]
both_generations = pytest.mark.parametrize(
    ("mode", "revision"), [("auto", "2026-07-28"), ("legacy", "2025-11-25")]
)


async def test_only_errors_that_are_meant_for_the_model_reach_it(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def crash(*_: Any) -> str:
        raise RuntimeError("an internal secret")

    monkeypatch.setattr(Questions, "report", crash)
    assert await refused(client, "efficiency_report") == "Error executing tool efficiency_report"
    assert "an internal secret" in caplog.text


async def test_our_own_errors_reach_the_model_word_for_word(client: Client) -> None:
    assert await refused(client, "efficiency_report", period="never") == (
        "There is no period 'never': use today, 7d, 30d, all, or FROM..TO such as"
        " 2026-11-01..2026-11-08, or last_hour, last_day, last_week, last_month, all_time."
    )


@pytest.fixture
def foreign(settings: Settings) -> Path:
    """The ledger's path, with something else in its place."""
    assert settings.database is not None
    path = Path(settings.database)
    path.write_text("this is no database")
    return path


@pytest.mark.usefixtures("foreign")
async def test_a_ledger_that_cannot_be_opened_says_so_everywhere(client: Client) -> None:
    says = "is not a token-tracking database"
    assert says in await refused(client, "efficiency_report")
    for asked in (
        client.read_resource("efficiency://summary"),
        client.read_resource("efficiency://sessions"),
        client.read_resource("efficiency://session/latest"),
        client.get_prompt("session_report"),
        client.complete(
            PromptReference(name="session_report"), {"name": "session_id", "value": ""}
        ),
    ):
        with pytest.raises(MCPError) as caught:
            await asked
        assert says in caught.value.message


async def test_after_an_error_the_next_question_tries_again(client: Client, foreign: Path) -> None:
    await refused(client, "efficiency_report")
    foreign.unlink()
    assert "for 0 messages" in await call(client, "efficiency_report")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"perod": "7d"}, "efficiency_report: unknown argument perod. Known: period, by, view."),
        ({"x": 1, "a": 2}, "efficiency_report: unknown arguments a, x. Known: period, by, view."),
    ],
)
async def test_unknown_arguments_are_refused(
    client: Client, arguments: dict[str, Any], says: str
) -> None:
    assert await refused(client, "efficiency_report", **arguments) == says


async def test_wrong_arguments_are_refused_in_one_line(client: Client) -> None:
    assert await refused(client, "efficiency_report", view="year", period=7) == (
        "efficiency_report: period: Input should be a valid string; view: Input should be 'totals',"
        " 'snapshot', 'trend', 'top' or 'advice'"
    )


@both_generations
async def test_a_client_is_promised_what_can_change_and_no_more(
    server: Server, mode: Mode, revision: str
) -> None:
    async with Client(server, mode=mode) as client:
        assert client.protocol_version == revision
        promised = client.server_capabilities
        assert promised.resources is not None
        assert promised.tools is not None
        assert promised.prompts is not None
        assert promised.resources.subscribe
        assert promised.resources.list_changed
        assert not promised.tools.list_changed
        assert not promised.prompts.list_changed


@both_generations
async def test_every_answer_is_text_that_suffices_alone(
    server: Server, claude: Path, mode: Mode, revision: str
) -> None:
    write(claude, [answer()])
    async with Client(server, mode=mode) as client:
        for tool in (await client.list_tools()).tools:
            assert tool.output_schema is None
        for text in (
            await call(client, "efficiency_report"),
            await call(client, "session_report", session_id=SESSION),
            await read(client, "efficiency://summary"),
            await read(client, "efficiency://sessions"),
            await read(client, f"efficiency://session/{SESSION}"),
            await prompt(client, session_id=SESSION),
        ):
            assert "$0.0003" in text
            assert "_Measured from billed usage, at the API's prices" in text


async def test_a_resource_that_does_not_exist_is_an_error(client: Client) -> None:
    for uri in ("efficiency://nothing", "efficiency://session/..%2F..%2Fetc", "other://summary"):
        with pytest.raises(MCPError):
            await client.read_resource(uri)


async def test_a_server_can_be_connected_to_again(server: Server, claude: Path) -> None:
    write(claude, [answer()])
    for _ in range(2):
        async with Client(server) as client:
            assert "for 1 message" in await call(client, "efficiency_report")
