"""An agent that works on a folder, without and with a window, and what each run was billed.

    python examples/agent.py FOLDER QUESTION     with your key in ANTHROPIC_API_KEY
    python examples/agent.py FOLDER --local      in a clone, after `make test`: a local server plays
                                                 the API, so that no key is needed

The usage of every response goes into a ledger (`--db`); the figures at the end are the ledger's.
"""

import argparse
import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from anthropic import AsyncAnthropic

from token_tracking import TokenSystem, create_token_system
from token_tracking.window import (
    FETCH_TOOL,
    Budget,
    ClearToolResults,
    ContextWindow,
    Emergency,
    MemoryContentStore,
    fetch_call,
)

MODEL: Final = "claude-sonnet-4-5"
MAX_TOKENS: Final = 8_000
SYSTEM: Final = "You answer questions about the files of one folder. Look before you answer."


def tool(name: str, description: str, *arguments: str) -> dict[str, Any]:
    """A tool's definition; its arguments are texts."""
    fields = {argument: {"type": "string"} for argument in arguments}
    schema = {"type": "object", "properties": fields, "required": list(arguments)}
    return {"name": name, "description": description, "input_schema": schema}


class Folder:
    """The tools, and all that they may touch."""

    tools: Final = (
        tool("list_files", "All files, with their sizes in bytes."),
        tool("read_file", "A file as a whole.", "path"),
        tool("search_files", "The lines with a text, in all files.", "text"),
    )

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    def call(self, name: str, arguments: Mapping[str, str]) -> str:
        """What a tool answers. Raises `LookupError`, `OSError`, `ValueError` for a bad call."""
        if name == "list_files":
            return "\n".join(f"{path} {size}" for path, size in self.files().items())
        if name == "read_file":
            return self.inside(arguments["path"]).read_text("utf-8")
        if name == "search_files":
            return "\n".join(self.lines_with(arguments["text"])[:50]) or "Nothing."
        raise LookupError(f"There is no tool {name}.")

    def files(self) -> dict[str, int]:
        """The size of each file."""
        found = sorted(path for path in self.root.rglob("*") if path.is_file())
        return {path.relative_to(self.root).as_posix(): path.stat().st_size for path in found}

    def inside(self, path: str) -> Path:
        """A path, if it is in the folder."""
        found = (self.root / path).resolve()
        if not found.is_relative_to(self.root):
            raise LookupError(f"{path} is not in the folder.")
        return found

    def lines_with(self, text: str) -> list[str]:
        """As `grep -rn` prints them."""
        return [
            f"{path}:{number}: {line.strip()}"
            for path in self.files()
            for number, line in enumerate(self.inside(path).read_text("utf-8").splitlines(), 1)
            if text in line
        ]
