"""A packed desktop bundle, unzipped into an empty folder: does it start as its manifest says?

python tests/packaging/check_bundle.py BUNDLE.mcpb UV

The variables of the manifest are substituted as the npm package @anthropic-ai/mcpb 2.1.2 does.
Where uv cannot install (it reads none of pip's settings), pip does, and the result says so.
"""
# ruff: noqa: T201  (a check prints)

import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import venv
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mcp import Client, StdioServerParameters, stdio_client

CONTENTS = {
    "LICENSE",
    "README.md",
    "hatch_build.py",
    "manifest.json",
    "pyproject.toml",
    "server",
    "token_tracking",
}
LARGEST_BYTES = 2_800_000  # of which two vocabularies are 1.4 million
SECONDS = 120

Variables = Mapping[str, str | list[str]]


class Start(NamedTuple):
    """What a client starts."""

    command: str
    arguments: list[str]
    environment: dict[str, str]


def substituted(text: str, variables: Variables) -> str:
    """A text with its variables; those that are unknown or lists stay as they are."""

    def value(found: re.Match[str]) -> str:
        known = variables.get(found[1])
        return known if isinstance(known, str) else found[0]

    return re.sub(r"\$\{([^}]+)\}", value, text)


def expanded(item: str, variables: Variables) -> list[str]:
    """An item of `args`: a list of the user's stands for its items, an unset value for itself."""
    whole = re.fullmatch(r"\$\{(user_config\.[^}]+)\}", item)
    if whole is None:
        return [substituted(item, variables)]
    value = variables.get(whole[1])
    if isinstance(value, list):
        return value
    return [value or item]


def start_of(root: Path, manifest: dict[str, Any], chosen: Variables) -> Start:
    """The manifest's command for a user who chose these values, and left the others alone."""
    options: dict[str, dict[str, Any]] = manifest["user_config"]
    defaults = {name: option["default"] for name, option in options.items() if "default" in option}
    variables: dict[str, str | list[str]] = {"__dirname": str(root), "HOME": str(Path.home())}
    for name, value in {**defaults, **chosen}.items():
        variables[f"user_config.{name}"] = value
    config: dict[str, Any] = manifest["server"]["mcp_config"]
    return Start(
        command=substituted(config["command"], variables),
        arguments=[word for item in config["args"] for word in expanded(item, variables)],
        environment={
            name: substituted(text, variables) for name, text in config.get("env", {}).items()
        },
    )


def install(root: Path, uv: Path, folder: Path) -> list[str]:
    """Install ahead of the handshake; the words that replace the command and its own arguments,
    up to the script: none where uv did it."""
    words = [str(uv), "sync", "--quiet", "--no-dev", "--directory", str(root)]
    if not subprocess.run(words, check=False).returncode:
        print("Installed with uv.")
        os.environ["UV_OFFLINE"] = "1"  # a server that is installed starts without a network
        return []
    print("uv could not install the bundle (see above): pip does it.")
    venv.create(folder / "venv", with_pip=True)
    python = str(folder / "venv" / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "--quiet", str(root)], check=True)
    return [python]


async def handshake(start: Start, manifest: dict[str, Any], folder: Path, mode: str) -> str:
    """The version, tools and prompts are the manifest's; what its report says."""
    inherited = {
        name: value for name, value in os.environ.items() if name.startswith(("UV_", "SSL_CERT_"))
    }
    parameters = StdioServerParameters(
        command=start.command,
        args=start.arguments,
        env={
            **inherited,
            "PATH": os.environ["PATH"],
            "XDG_DATA_HOME": str(folder / "data"),
            "CLAUDE_CONFIG_DIR": str(folder / "no transcripts"),
            **start.environment,
        },
        cwd=folder / "bundle",
    )
    async with asyncio.timeout(SECONDS), Client(stdio_client(parameters), mode=mode) as client:
        assert client.server_info is not None
        assert client.server_info.version == manifest["version"], client.server_info
        tools = {tool.name for tool in (await client.list_tools()).tools}
        assert tools == {tool["name"] for tool in manifest["tools"]}, tools
        prompts = {prompt.name for prompt in (await client.list_prompts()).prompts}
        assert prompts == {prompt["name"] for prompt in manifest["prompts"]}, prompts
        result = await client.call_tool("efficiency_report", {})
        text = "".join(getattr(part, "text", "") for part in result.content)
        assert not result.is_error, text
        print(
            f"MCP {client.protocol_version}, version {client.server_info.version}: {sorted(tools)}"
        )
        return text


def check(bundle: Path, uv: Path, folder: Path) -> None:
    """Unzip, install, and start it twice: as it comes, and with a ledger and folders chosen."""
    root = folder / "bundle"
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(root)
    contents = {path.name for path in root.iterdir()}
    assert contents == CONTENTS, f"the bundle holds {sorted(contents)}"
    manifest: dict[str, Any] = json.loads((root / "manifest.json").read_text("utf-8"))
    script: str = manifest["server"]["entry_point"]
    assert (root / script).is_file(), script
    instead = install(root, uv, folder)
    sample, ledger = root / "server" / "token_tracking_server" / "sample", folder / "chosen.db"
    choices: list[tuple[str, Variables]] = [
        ("legacy", {}),
        ("auto", {"database": str(ledger), "claude_dirs": [str(sample), str(folder)]}),
    ]
    said: list[str] = []
    for mode, chosen in choices:
        start = start_of(root, manifest, chosen)
        if instead:
            words = start.arguments[start.arguments.index(script) :]
            start = start._replace(command=instead[0], arguments=words)
        print("Starts:", start.command, *start.arguments)
        said.append(asyncio.run(handshake(start, manifest, folder, mode)))
    assert ledger.is_file(), "the chosen ledger was not used"
    assert said[0] != said[1], "the chosen folders were not read"


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    bundle, uv = Path(arguments[0]), Path(arguments[1]).absolute()
    assert bundle.stat().st_size < LARGEST_BYTES, f"{bundle.stat().st_size} bytes"
    os.environ["PATH"] = f"{uv.parent}{os.pathsep}{os.environ['PATH']}"
    os.environ.pop("VIRTUAL_ENV", None)
    with tempfile.TemporaryDirectory() as name:
        check(bundle, uv, Path(name).resolve())
    print("The bundle starts as its manifest says.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
