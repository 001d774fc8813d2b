"""`token-tracking setup`, with real processes."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from token_tracking_server.cli import registration
from token_tracking_server.cli.handshake import HandshakeError, handshake
from token_tracking_server.cli.registration import Registration
from token_tracking_server.cli.setup import SAMPLE, run
from token_tracking_server.settings import Settings

OTHER_SERVER = """
from mcp.server import MCPServer
server = MCPServer("other")
@server.tool()
def echo() -> str:
    return "x"
server.run()
"""
FAILING_SERVER = """
from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
server = MCPServer("failing")
@server.tool()
def efficiency_report() -> str:
    raise ToolError("the ledger is locked")
server.run()
"""


def program(text: str) -> Registration:
    return Registration(sys.executable, ("-c", text), {})


def command(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "token_tracking_server.cli", *words],
        check=False,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


def blocks(text: str) -> list[dict[str, dict[str, Any]]]:
    """The JSON that was printed to paste."""
    lines = [line.removeprefix("  ") for line in text.splitlines()]
    starts = [index for index, line in enumerate(lines) if line == "{"]
    ends = [index for index, line in enumerate(lines) if line == "}"]
    return [json.loads("\n".join(lines[a : b + 1])) for a, b in zip(starts, ends, strict=True)]


@pytest.mark.slow
def test_with_no_transcripts_it_shows_the_sample_and_keeps_it_out_of_the_ledger() -> None:
    done = command("setup", "--no-dashboard")
    assert (done.returncode, done.stderr) == (0, "")
    assert "A sample, not your usage" in done.stdout
    assert "Your ledger stays empty." in done.stdout
    assert "token-tracking 0.1.0 answered in " in done.stdout
    assert "\x1b" not in done.stdout
    assert len(blocks(done.stdout)) == 3
    rows = json.loads(command("report", "--no-ingest", "--json").stdout)["rows"]
    assert rows == []


@pytest.mark.slow
def test_it_reads_the_users_own_transcripts_into_the_users_ledger(tmp_path: Path) -> None:
    claude, ledger = tmp_path / "claude", tmp_path / "my ledger.db"
    claude.symlink_to(SAMPLE)
    done = command(
        "setup", "--no-dashboard", CLAUDE_CONFIG_DIR=str(claude), TOKEN_TRACKING_DB=str(ledger)
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "sample," not in done.stdout
    assert "Your usage" in done.stdout
    environment = {"TOKEN_TRACKING_DB": str(ledger), "CLAUDE_CONFIG_DIR": str(claude)}
    for block in blocks(done.stdout):
        (servers,) = block.values()
        assert servers["token-tracking"]["env"] == environment
    report = command("report", "--no-ingest", "--json", TOKEN_TRACKING_DB=str(ledger))
    assert len(json.loads(report.stdout)["rows"]) > 0


@pytest.mark.slow
def test_what_was_tracked_without_transcripts_is_shown_instead_of_the_sample(
    tmp_path: Path,
) -> None:
    ledger = {"TOKEN_TRACKING_DB": str(tmp_path / "ledger.db")}
    command("ingest", "--claude-dir", str(SAMPLE), **ledger)
    done = command("setup", "--no-dashboard", **ledger)
    assert "Your usage" in done.stdout
    assert "A sample" not in done.stdout


def test_a_broken_server_ends_it_before_anything_is_registered(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> list[str]:
        return [sys.executable, "-c", "import sys; sys.exit('no such module')"]

    monkeypatch.setattr(registration, "installed_command", broken)
    with pytest.raises(HandshakeError, match="no such module"):
        run(Settings())
    assert "claude mcp add" not in capsys.readouterr().out


async def test_a_server_that_ends_at_once_is_reported_with_what_it_wrote() -> None:
    with pytest.raises(HandshakeError) as caught:
        await handshake(program("import sys; sys.exit('boom')"))
    text = str(caught.value)
    assert "It wrote:\nboom\n" in text
    assert "token-tracking doctor" in text
    assert text.splitlines()[-1].strip().startswith(sys.executable)


async def test_a_server_that_does_not_answer_is_given_up() -> None:
    with pytest.raises(HandshakeError, match=r"no answer in 0\.5 s"):
        await handshake(program("import sys; sys.stdin.read()"), seconds=0.5)


async def test_a_command_that_does_not_exist_is_reported(tmp_path: Path) -> None:
    with pytest.raises(HandshakeError, match="FileNotFoundError"):
        await handshake(Registration(str(tmp_path / "nothing"), ("serve",), {}))


@pytest.mark.slow
async def test_another_server_is_not_taken_for_ours() -> None:
    with pytest.raises(HandshakeError, match="no tool efficiency_report, only: echo"):
        await handshake(program(OTHER_SERVER))


@pytest.mark.slow
async def test_a_tool_that_fails_fails_the_check_with_its_reason() -> None:
    with pytest.raises(HandshakeError, match=r"efficiency_report failed: .* the ledger is locked"):
        await handshake(program(FAILING_SERVER))
