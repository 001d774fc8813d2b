"""Which session is meant: an id, the beginning of one, current or latest."""

import os
from pathlib import Path

import pytest
from mcp import Client
from mcp.types import INVALID_PARAMS

from tests.server.asking import call, prompt, read, refused, unreadable
from tests.transcripts import SESSION, answer, write

OLD = "aaaaaaaa-0000-4000-8000-000000000001"
NEW = "aaaaaaaa-0000-4000-8000-000000000002"
ELSEWHERE = "bbbbbbbb-0000-4000-8000-000000000003"


@pytest.fixture(autouse=True)
def three_sessions(claude: Path, settings: object) -> None:
    for number, (name, cwd) in enumerate(
        [(OLD, "/home/sam/shop"), (NEW, "/home/sam/shop"), (ELSEWHERE, "/home/sam/other")]
    ):
        line = answer(f"msg_{number}", uuid=name, second=number, sessionId=name, cwd=cwd)
        write(claude, [line], name)


async def test_an_id_or_its_beginning_is_enough(client: Client) -> None:
    for wanted in (ELSEWHERE, "bbbb", "B", " bbbb "):
        assert f"`{ELSEWHERE}`" in await call(client, "session_report", session_id=wanted)


async def test_a_beginning_of_several_names_them(client: Client) -> None:
    assert await refused(client, "session_report", session_id="aaaa") == (
        f"Several sessions begin with `aaaa`: `{NEW}`, `{OLD}`. Give more of the id."
    )


async def test_an_unknown_session_says_which_there_are(client: Client) -> None:
    expected = (
        "There is no session `zzz`. Give an id or its beginning, or latest. The newest are"
        f" `{ELSEWHERE}`, `{NEW}`, `{OLD}`."
    )
    assert await refused(client, "session_report", session_id="zzz") == expected
    error = await unreadable(client, "efficiency://session/zzz")
    assert (error.code, error.message) == (INVALID_PARAMS, expected)


@pytest.mark.parametrize("wanted", ["", "%", "_", "aaaaaaaa%"])
async def test_only_what_an_id_begins_with_finds_it(client: Client, wanted: str) -> None:
    assert "There is no session" in await refused(client, "session_report", session_id=wanted)


async def test_latest_is_the_newest_of_all(client: Client) -> None:
    text = await call(client, "session_report", session_id="latest")
    assert f"`{ELSEWHERE}`" in text
    assert "- The session with the newest message of all." in text


async def test_current_is_the_session_that_claude_code_names(
    client: Client, environment: dict[str, str]
) -> None:
    environment |= {"CLAUDE_CODE_SESSION_ID": OLD, "CLAUDE_PROJECT_DIR": "/home/sam/other"}
    for text in (
        await call(client, "session_report"),
        await read(client, "efficiency://session/current"),
        await prompt(client),
    ):
        assert f"**Session `{OLD}`: $0.0003**" in text
        assert "- The current session (CLAUDE_CODE_SESSION_ID)." in text


async def test_current_is_else_the_newest_of_the_project(
    client: Client, environment: dict[str, str]
) -> None:
    environment["CLAUDE_PROJECT_DIR"] = "/home/sam/shop/"
    text = await call(client, "session_report")
    assert f"`{NEW}`" in text
    assert "- The newest session in `/home/sam/shop/` (CLAUDE_PROJECT_DIR)." in text


async def test_current_is_found_by_the_folder_where_the_session_began_elsewhere(
    client: Client, environment: dict[str, str], claude: Path
) -> None:
    folder = claude / "projects" / "-srv-my-site"
    folder.mkdir()
    for name, age in ((OLD, 1), (ELSEWHERE, 2)):
        file = claude / "projects" / "-home-sam-shop" / f"{name}.jsonl"
        file = file.rename(folder / file.name)
        os.utime(file, (age, age))
    (folder / "not-in-the-ledger.jsonl").write_text("{}\n")
    environment["CLAUDE_PROJECT_DIR"] = "/srv/my.site"
    assert f"`{ELSEWHERE}`" in await call(client, "session_report")


async def test_a_current_session_that_was_not_written_yet_says_so(
    client: Client, environment: dict[str, str]
) -> None:
    environment["CLAUDE_CODE_SESSION_ID"] = SESSION
    text = await refused(client, "session_report")
    assert text.startswith(
        f"The current session, `{SESSION}` (CLAUDE_CODE_SESSION_ID), is not in the ledger: no"
        " transcript of it was found yet. Ask again after the next answer. Give an id"
    )


async def test_a_project_without_sessions_says_so(
    client: Client, environment: dict[str, str]
) -> None:
    environment["CLAUDE_PROJECT_DIR"] = "/nowhere"
    assert (await refused(client, "session_report")).startswith(
        "The ledger has no session in `/nowhere` (CLAUDE_PROJECT_DIR). Give an id"
    )


@pytest.mark.parametrize("value", ["", "${CLAUDE_CODE_SESSION_ID}"])
async def test_without_either_variable_current_says_what_is_missing(
    client: Client, environment: dict[str, str], value: str
) -> None:
    environment["CLAUDE_CODE_SESSION_ID"] = value
    text = await refused(client, "session_report")
    assert text == (
        "Which session is current is unknown: neither CLAUDE_CODE_SESSION_ID nor"
        " CLAUDE_PROJECT_DIR is set, which Claude Code does for its servers. Give an id or its"
        f" beginning, or latest. The newest are `{ELSEWHERE}`, `{NEW}`, `{OLD}`."
    )
