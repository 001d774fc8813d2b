"""How each client is told of the server: lines to paste, and the files they end up in."""

import json
import os
import shlex
import subprocess
import sys
import sysconfig
from base64 import b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from token_tracking.errors import TokenTrackingError
from token_tracking.store import default_location, locate
from token_tracking_server.settings import Settings

NAME: Final = "token-tracking"


class Registration(NamedTuple):
    """What a client starts: an absolute command, since desktop programs have another PATH than
    the shell, and the environment that the client has to set, since they do not inherit it."""

    command: str
    arguments: tuple[str, ...]
    environment: dict[str, str]

    def as_json(self) -> dict[str, Any]:
        """The entry of one server as Claude Desktop and Cursor write it."""
        entry: dict[str, Any] = {"command": self.command, "args": list(self.arguments)}
        return entry | ({"env": self.environment} if self.environment else {})


def registration(settings: Settings, environment: Mapping[str, str] = os.environ) -> Registration:
    """This installation's server, with the settings that it would not find by itself.

    Raises:
        StoreError: the settings name a database that cannot be one.
    """
    command, *arguments = installed_command()
    return Registration(command, (*arguments, "serve"), _environment(settings, environment))


def installed_command() -> list[str]:
    """`token-tracking` of this interpreter's environment, or else the module."""
    name = f"{NAME}.exe" if os.name == "nt" else NAME
    script = Path(sysconfig.get_path("scripts")) / name
    if script.is_file():
        return [str(script)]
    return [sys.executable, "-P", "-m", "token_tracking_server.cli"]


def _environment(settings: Settings, environment: Mapping[str, str]) -> dict[str, str]:
    usual = default_location({}).path
    database = settings.database or str(default_location(environment).path)
    location = locate(database).path.absolute()
    carried = {
        "TOKEN_TRACKING_DB": "" if location == usual else str(location),
        "TOKEN_TRACKING_CLAUDE_DIRS": _several(settings.claude_dirs),
        "TOKEN_TRACKING_LIBRARY": _several(settings.library),
        "TOKEN_TRACKING_PRICES": _absolute(settings.user_prices) if settings.user_prices else "",
        "TOKEN_TRACKING_TIMEZONE": settings.timezone or "",
        "CLAUDE_CONFIG_DIR": _absolute_each(environment.get("CLAUDE_CONFIG_DIR", "")),
    }
    return {name: value for name, value in carried.items() if value}


def _several(folders: Sequence[Path]) -> str:
    """Folders as one variable has them.

    Raises:
        TokenTrackingError: one has a name that cannot stand there.
    """
    for folder in folders:
        if os.pathsep in str(folder):
            raise TokenTrackingError(
                f"{folder} has a {os.pathsep} in its name, which separates folders in the variable"
                " that a client passes on: name a link to it, or rename it."
            )
    return os.pathsep.join(map(_absolute, folders))


def _absolute(path: Path) -> str:
    return str(path.expanduser().absolute())


def _absolute_each(folders: str) -> str:
    """`CLAUDE_CONFIG_DIR`: a comma separates several."""
    return ",".join(_absolute(Path(part.strip())) for part in folders.split(",") if part.strip())


def command_line(words: Sequence[str], *, windows: bool = os.name == "nt") -> str:
    """Words as one line to paste into a shell."""
    return subprocess.list2cmdline(words) if windows else shlex.join(words)


def claude_code(server: Registration) -> list[str]:
    """The words of `claude mcp add`. Its `--env` takes all that follows up to the next option, so
    an option stands between it and the name."""
    variables = [f"{name}={value}" for name, value in server.environment.items()]
    return [
        *("claude", "mcp", "add"),
        *(word for variable in variables for word in ("--env", variable)),
        *("--scope", "user", "--transport", "stdio", NAME, "--"),
        *(server.command, *server.arguments),
    ]


def claude_desktop(server: Registration) -> str:
    """What `claude_desktop_config.json` has to hold."""
    return _indented({"mcpServers": {NAME: server.as_json()}})


def claude_desktop_file(
    platform: str = sys.platform, environment: Mapping[str, str] = os.environ
) -> Path:
    """Where Claude Desktop keeps it."""
    if platform == "win32":
        roaming = environment.get("APPDATA")
        folder = Path(roaming) if roaming else Path.home() / "AppData" / "Roaming"
    elif platform == "darwin":
        folder = Path.home() / "Library" / "Application Support"
    else:
        configured = environment.get("XDG_CONFIG_HOME", "")
        folder = Path(configured) if configured.startswith("/") else Path.home() / ".config"
    return folder / "Claude" / "claude_desktop_config.json"


def vscode(server: Registration) -> list[str]:
    """The words of `code --add-mcp`: all of the user's workspaces."""
    return ["code", "--add-mcp", json.dumps({"name": NAME, **_typed(server)})]


def vscode_file(server: Registration) -> str:
    """What `.vscode/mcp.json` has to hold: one workspace."""
    return _indented({"servers": {NAME: _typed(server)}})


def cursor(server: Registration) -> str:
    """What `~/.cursor/mcp.json` has to hold."""
    return _indented({"mcpServers": {NAME: server.as_json()}})


def cursor_link(server: Registration) -> str:
    """The link that makes Cursor ask whether to install the server."""
    config = b64encode(json.dumps(server.as_json()).encode()).decode()
    return (
        "cursor://anysphere.cursor-deeplink/mcp/install"
        f"?name={quote(NAME)}&config={quote(config, safe='')}"
    )


def _typed(server: Registration) -> dict[str, Any]:
    return {"type": "stdio", **server.as_json()}


def _indented(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2)
