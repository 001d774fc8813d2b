"""Other MCP servers, from npm and PyPI, that start without a key: what ours is compared with."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

NPM_VERSION = "2026.8.31"
NPM = ("filesystem", "memory", "sequential-thinking", "everything")
"""Of @modelcontextprotocol/server-*; the last one shows all that MCP can do, and is for tests."""

PYPI = {
    "mcp-server-fetch": "2026.10.24",
    "mcp-server-git": "2026.10.19",
    "mcp-server-time": "2026.10.19",
}


@dataclass(frozen=True)
class Server:
    """A server's name, and how to start it on stdio.

    `first_call` is a tool and its arguments, called before anything is listed where the server has
    that tool: what it reads in the background is then read.
    """

    name: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict[str, str])
    first_call: tuple[str, dict[str, Any]] | None = None


def other_servers(cache: Path, folder: Path) -> Iterator[Server]:
    """Each of them, installed into `cache` where it is absent, with `folder` to work in.

    What cannot be installed is told on standard error, and left out.
    """
    yield from _installed("npm", lambda: _npm_servers(cache, folder))
    yield from _installed("PyPI", lambda: _pypi_servers(cache))


def _installed(registry: str, install: Callable[[], list[Server]]) -> list[Server]:
    try:
        return install()
    except (OSError, subprocess.CalledProcessError) as error:
        told = getattr(error, "stderr", None) or str(error).encode()
        shown = told.decode(errors="replace")[-1_000:]
        print(f"Left out, the servers from {registry}: {shown}", file=sys.stderr)
        return []


def _npm_servers(cache: Path, folder: Path) -> list[Server]:
    prefix = cache / f"mcp-servers-{NPM_VERSION}"
    modules = prefix / "node_modules" / "@modelcontextprotocol"
    if not all((modules / f"server-{name}").exists() for name in NPM):
        prefix.mkdir(parents=True, exist_ok=True)
        packages = [f"@modelcontextprotocol/server-{name}@{NPM_VERSION}" for name in NPM]
        install = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(prefix)]
        subprocess.run([*install, *packages], check=True, capture_output=True)
    arguments = {"filesystem": [str(folder)]}
    environment = {"MEMORY_FILE_PATH": str(folder / "memory.jsonl")}
    programs = {name: str(modules / f"server-{name}" / "dist" / "index.js") for name in NPM}
    return [
        Server(f"server-{name}", ["node", program, *arguments.get(name, [])], environment)
        for name, program in programs.items()
    ]


def _pypi_servers(cache: Path) -> list[Server]:
    # They need an older version of the SDK than ours does: an environment of their own.
    prefix = cache / f"mcp-servers-{'-'.join(PYPI.values())}"
    python = prefix / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    if not (prefix / "installed").exists():
        packages = [f"{name}=={version}" for name, version in PYPI.items()]
        subprocess.run([sys.executable, "-m", "venv", "--clear", prefix], check=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--no-input"]
        subprocess.run([*install, *packages], check=True, capture_output=True)
        (prefix / "installed").touch()
    return [Server(name, [str(python), "-m", name.replace("-", "_")]) for name in PYPI]
