"""The prompts, and what it says of wrong requests."""

from pathlib import Path

import pytest
from mcp import Client, MCPError
from mcp.types import INVALID_PARAMS

from tests.server.asking import prompt
from tests.transcripts import SESSION, answer, write


async def test_it_asks_and_holds_the_figures(client: Client, claude: Path) -> None:
    write(claude, [answer()])
    text = await prompt(client, session_id=SESSION)
    assert text.startswith("Tell me in a few sentences what this session cost")
    assert f"**Session `{SESSION}`: $0.0003**" in text


async def test_find_savings_asks_and_holds_the_figures(client: Client, claude: Path) -> None:
    write(claude, [answer()])
    text = await prompt(client, "find_savings", period="all")
    assert text.startswith("Find where I can spend less on tokens, by the figures below.")
    assert "**All time: $0.0003** for 1 message in 1 session" in text
    assert "The 30 days up to now" in await prompt(client, "find_savings")


@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [
        ("nope", {}, "Unknown prompt: nope. Known: session_report, find_savings."),
        (
            "session_report",
            {"session": "x"},
            "session_report: unknown argument session. Known: session_id.",
        ),
        ("session_report", {"session_id": "x"}, "There is no session `x`."),
        ("find_savings", {"period": "soon"}, "There is no period 'soon': use today, 7d,"),
    ],
)
async def test_a_wrong_request_says_what_is_wrong(
    client: Client, name: str, arguments: dict[str, str], says: str
) -> None:
    with pytest.raises(MCPError) as caught:
        await client.get_prompt(name, arguments)
    assert caught.value.code == INVALID_PARAMS
    assert says in caught.value.message
