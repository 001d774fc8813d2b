"""A packed desktop bundle, unzipped into an empty folder: does it start as its manifest says?

python .ci/check_bundle.py BUNDLE.mcpb UV

The variables of the manifest are substituted as the npm package @anthropic-ai/mcpb 2.1.2 does.
Where uv cannot install (it reads none of pip's settings), pip does, and the result says so.
"""
# ruff: noqa: S603, T201  (a check starts processes, and prints)

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

CONTENTS = {"LICENSE", "README.md", "manifest.json", "pyproject.toml", "server", "token_tracking"}
LARGEST_BYTES = 2_000_000
SECONDS = 120

type_of_value = str | list[str]
Variables = Mapping[str, type_of_value]


class Start(NamedTuple):
    """What a client starts."""

    command: str
    arguments: list[str]
    environment: dict[str, str]


def substituted(text: str, variables: Variables) -> str:
    """A text with its variables; those that are unknown, empty lists or lists stay as they are."""

    def value(found: re.Match[str]) -> str:
        known = variables.get(found[1])
        return known if isinstance(known, str) else found[0]

    return re.sub(r"\$\{([^}]+)\}", value, text)


def expanded(item: str, variables: Variables) -> list[str]:
    """An item of `args`: a list of the user's stands for as many items, an empty text for itself."""
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
    variables: dict[str, type_of_value] = {"__dirname": str(root), "HOME": str(Path.home())}
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


def installed(root: Path, manifest: dict[str, Any], uv: Path, folder: Path) -> list[str]:
    """Install ahead of the handshake; the words that stand for everything up to the script."""
    words = [str(uv), "sync", "--quiet", "--no-dev", "--directory", str(root)]
    if not subprocess.run(words).returncode:
        print("Installed with uv.")
        return [str(uv), *manifest["server"]["mcp_config"]["args"][:-2]]
    print("uv could not install the bundle (see above): pip does it.")
    venv.create(folder / "venv", with_pip=True)
    python = str(folder / "venv" / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "--quiet", str(root)], check=True)
    return [python]


async def check(start: Start, manifest: dict[str, Any], folder: Path, mode: str) -> str:
    """A handshake: the version, tools and prompts are the manifest's; what its report says."""
    inherited = {name: value for name, value in os.environ.items() if inherits(name)}
    parameters = StdioServerParameters(
        command=start.command,
        args=start.arguments,
        env={**inherited, "XDG_DATA_HOME": str(folder / "data"), **start.environment},
        cwd=folder,
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
        print(f"MCP {client.protocol_version}, {client.server_info.version}: {sorted(tools)}")
        return text


def inherits(name: str) -> bool:
    """Certificates and uv's settings; not the settings of token-tracking, nor of Python."""
    return name.startswith(("UV_", "SSL_CERT_")) and not name.startswith("UV_PROJECT")


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    bundle, uv = Path(arguments[0]), Path(arguments[1]).resolve()
    assert bundle.stat().st_size < LARGEST_BYTES, f"{bundle.stat().st_size} bytes"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        root = folder / "bundle"
        with zipfile.ZipFile(bundle) as archive:
            archive.extractall(root)
        contents = {path.name for path in root.iterdir()}
        assert contents == CONTENTS, f"the bundle holds {sorted(contents)}"
        manifest: dict[str, Any] = json.loads((root / "manifest.json").read_text("utf-8"))
        assert (root / manifest["server"]["entry_point"]).is_file()
        environment = uv_first(uv)
        os.environ.update(environment)
        untouched = start_of(root, manifest, {})
        sample = root / "server" / "token_tracking_server" / "sample"
        ledger = folder / "chosen.db"
        chosen = start_of(
            root, manifest, {"database": str(ledger), "claude_dirs": [str(sample), str(folder)]}
        )
        print("Runs:", untouched.command, *untouched.arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
