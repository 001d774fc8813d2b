"""What `setup` prints to paste is what the clients read."""

import base64
import json
import os
import shlex
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from token_tracking_server.cli import registration as lines
from token_tracking_server.cli.registration import Registration, registration
from token_tracking_server.settings import Settings

PLAIN = Registration("/home/sam/bin/token-tracking", ("serve",), {})
AWKWARD = Registration(
    "/Users/Zoë O'Neil/my tools/token-tracking",
    ("serve",),
    {"TOKEN_TRACKING_DB": '/data/a "b" $c.db', "CLAUDE_CONFIG_DIR": "/srv/claude"},
)
ENTRY: dict[str, Any] = {
    "command": AWKWARD.command,
    "args": ["serve"],
    "env": AWKWARD.environment,
}
both = pytest.mark.parametrize("server", [PLAIN, AWKWARD], ids=["plain", "awkward"])


@both
def test_claude_codes_line_is_read_back_by_a_shell(server: Registration) -> None:
    line = lines.command_line(lines.claude_code(server), windows=False)
    words = shlex.split(line)
    assert words[:3] == ["claude", "mcp", "add"]
    dashes = words.index("--")
    assert words[dashes + 1 :] == [server.command, "serve"]
    options = words[3:dashes]
    given = [options[i + 1] for i, word in enumerate(options) if word == "--env"]
    assert given == [f"{name}={value}" for name, value in server.environment.items()]
    # --env takes every word up to the next option: the name must not follow it.
    assert options[-5:] == ["--scope", "user", "--transport", "stdio", "token-tracking"]


def test_a_plain_line_reads_as_the_documentation_has_it() -> None:
    assert lines.command_line(lines.claude_code(PLAIN), windows=False) == (
        "claude mcp add --scope user --transport stdio token-tracking"
        " -- /home/sam/bin/token-tracking serve"
    )


def test_on_windows_a_line_is_quoted_for_its_shell() -> None:
    words = ["claude", r"C:\Program Files\x.exe", '{"a": 1}']
    line = lines.command_line(words, windows=True)
    assert line == r'claude "C:\Program Files\x.exe" "{\"a\": 1}"'


def test_claude_desktop_and_cursor_read_the_same_entry() -> None:
    expected = {"mcpServers": {"token-tracking": ENTRY}}
    assert json.loads(lines.claude_desktop(AWKWARD)) == expected
    assert json.loads(lines.cursor(AWKWARD)) == expected


def test_vscode_reads_a_type_and_in_its_file_servers() -> None:
    typed = {"type": "stdio", **ENTRY}
    line = lines.command_line(lines.vscode(AWKWARD), windows=False)
    code, option, text = shlex.split(line)
    assert (code, option) == ("code", "--add-mcp")
    assert json.loads(text) == {"name": "token-tracking", **typed}
    assert json.loads(lines.vscode_file(AWKWARD)) == {"servers": {"token-tracking": typed}}


@both
def test_cursors_link_holds_the_inner_object(server: Registration) -> None:
    link = urlsplit(lines.cursor_link(server))
    assert (link.scheme, link.netloc) == ("cursor", "anysphere.cursor-deeplink")
    assert link.path == "/mcp/install"
    query = parse_qs(link.query, strict_parsing=True)
    assert query["name"] == ["token-tracking"]
    assert json.loads(base64.b64decode(query["config"][0], validate=True)) == server.as_json()


def test_an_empty_environment_is_left_out() -> None:
    assert PLAIN.as_json() == {"command": "/home/sam/bin/token-tracking", "args": ["serve"]}


@pytest.mark.parametrize(
    ("platform", "environment", "tail"),
    [
        ("darwin", {}, "Library/Application Support/Claude"),
        ("linux", {}, ".config/Claude"),
        ("win32", {}, "AppData/Roaming/Claude"),
    ],
)
def test_claude_desktops_file_is_under_the_home_folder(
    platform: str, environment: dict[str, str], tail: str
) -> None:
    file = lines.claude_desktop_file(platform, environment)
    assert file == Path.home() / tail / "claude_desktop_config.json"


def test_claude_desktops_file_follows_the_systems_variables(tmp_path: Path) -> None:
    name = "claude_desktop_config.json"
    roaming = lines.claude_desktop_file("win32", {"APPDATA": str(tmp_path)})
    assert roaming == tmp_path / "Claude" / name
    if os.name != "nt":
        configured = lines.claude_desktop_file("linux", {"XDG_CONFIG_HOME": str(tmp_path)})
        assert configured == tmp_path / "Claude" / name


def test_the_command_is_absolute_and_the_usual_places_need_no_variable() -> None:
    server = registration(Settings(), {})
    assert Path(server.command).is_absolute()
    assert server.arguments[-1] == "serve"
    assert server.environment == {}


def test_without_an_installed_command_the_module_is_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def nowhere(_: str) -> str:
        return str(tmp_path)

    monkeypatch.setattr(lines.sysconfig, "get_path", nowhere)
    assert lines.installed_command() == [sys.executable, "-P", "-m", "token_tracking_server.cli"]


def test_what_the_shell_set_is_carried_with_absolute_paths(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = Settings(
        database="my.db",
        claude_dirs=(Path("one"), tmp_path / "two"),
        user_prices=Path("prices.toml"),
        timezone="Europe/Berlin",
    )
    server = registration(settings, {"CLAUDE_CONFIG_DIR": f"three, {tmp_path / 'four'}"})
    assert server.environment == {
        "TOKEN_TRACKING_DB": str(tmp_path / "my.db"),
        "TOKEN_TRACKING_CLAUDE_DIRS": os.pathsep.join(
            [str(tmp_path / "one"), str(tmp_path / "two")]
        ),
        "TOKEN_TRACKING_PRICES": str(tmp_path / "prices.toml"),
        "TOKEN_TRACKING_TIMEZONE": "Europe/Berlin",
        "CLAUDE_CONFIG_DIR": f"{tmp_path / 'three'},{tmp_path / 'four'}",
    }


def test_a_database_url_is_carried_as_a_path(tmp_path: Path) -> None:
    server = registration(Settings(database=f"sqlite:///{tmp_path}/x.db"), {})
    assert server.environment == {"TOKEN_TRACKING_DB": str(tmp_path / "x.db")}


@pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="a variable of Linux")
def test_a_data_folder_that_only_the_shell_knows_is_carried(tmp_path: Path) -> None:
    server = registration(Settings(), {"XDG_DATA_HOME": str(tmp_path)})
    assert server.environment == {
        "TOKEN_TRACKING_DB": str(tmp_path / "token-tracking" / "ledger.db")
    }
