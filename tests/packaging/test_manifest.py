"""The desktop bundle's manifest agrees with the project."""

import json
import runpy
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from token_tracking import __version__
from token_tracking_server.settings import Settings

ROOT = Path(__file__).parents[2]


@pytest.fixture
def manifest() -> dict[str, Any]:
    return json.loads((ROOT / "manifest.json").read_text("utf-8"))


@pytest.fixture
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def test_its_version_and_licence_are_the_projects(
    manifest: dict[str, Any], project: dict[str, Any]
) -> None:
    assert manifest["version"] == __version__
    assert manifest["name"] == project["name"]
    assert manifest["license"] == project["license"]
    assert manifest["compatibility"]["runtimes"]["python"] == project["requires-python"]


def test_its_tools_and_prompts_are_the_servers(manifest: dict[str, Any]) -> None:
    assert {tool["name"] for tool in manifest["tools"]} == {
        "efficiency_report",
        "session_report",
        "track_usage",
        "search_content",
        "load_content",
    }
    prompts = [prompt["name"] for prompt in manifest["prompts"]]
    assert prompts == ["session_report", "find_savings"]


def test_its_command_starts_its_entry_point_with_the_chosen_folders(
    manifest: dict[str, Any],
) -> None:
    server = manifest["server"]
    assert (ROOT / server["entry_point"]).is_file()
    config = server["mcp_config"]
    assert (server["type"], config["command"]) == ("uv", "uv")
    # A client expands a list only where it is an item of its own.
    assert config["args"][-2:] == [server["entry_point"], "${user_config.claude_dirs}"]


def test_every_variable_of_the_command_is_the_clients_or_the_users(
    manifest: dict[str, Any],
) -> None:
    config = manifest["server"]["mcp_config"]
    words = [*config["args"], *config["env"].values()]
    named = {word for word in words if "$" in word}
    assert named == {"${__dirname}"} | {f"${{user_config.{n}}}" for n in manifest["user_config"]}


def test_nobody_has_to_choose_anything(manifest: dict[str, Any]) -> None:
    options = manifest["user_config"].values()
    assert [option["required"] for option in options] == [False, False, False]
    assert [option["default"] for option in options] == ["", "", []]


@pytest.mark.parametrize("unset", ["", "${user_config.x}"])
def test_a_database_or_library_that_was_not_chosen_is_the_usual_one(
    manifest: dict[str, Any], unset: str
) -> None:
    names = manifest["server"]["mcp_config"]["env"]
    assert set(names) == {"TOKEN_TRACKING_DB", "TOKEN_TRACKING_LIBRARY"}
    assert Settings.from_environment(dict.fromkeys(names, unset)) == Settings()


def test_the_entry_point_serves_the_folders_that_it_is_given(
    monkeypatch: pytest.MonkeyPatch, manifest: dict[str, Any], tmp_path: Path
) -> None:
    from token_tracking_server import cli

    started: list[list[str]] = []

    def main(arguments: list[str]) -> int:
        started.append(arguments)
        return 7

    monkeypatch.setattr(cli, "main", main)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "argv", ["main.py", str(tmp_path)])
    with pytest.raises(SystemExit, match="7"):
        runpy.run_path(str(ROOT / manifest["server"]["entry_point"]), run_name="__main__")
    assert started == [["serve", str(tmp_path)]]
    assert sys.path[:2] == [str(ROOT / "server"), str(ROOT)]
