"""The tools of the example agent: what it may see of one folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

MOST_LINES: Final = 50


def _tool(name: str, description: str, *fields: str) -> dict[str, Any]:
    properties = {field: {"type": "string"} for field in fields}
    schema = {"type": "object", "properties": properties, "required": list(fields)}
    return {"name": name, "description": description, "input_schema": schema}


TOOLS: Final = [
    _tool("list_files", "All files, with their sizes in bytes."),
    _tool("read_file", "A whole file.", "path"),
    _tool("search_files", "The lines with a text, in all files.", "text"),
]
"""As Anthropic's API takes them."""


class Folder:
    """A folder's text files, as they are when it is opened."""

    def __init__(self, root: Path) -> None:
        files = sorted(path for path in root.rglob("*") if path.is_file())
        self.files = {path.relative_to(root).as_posix(): path for path in files}

    def call(self, name: str, arguments: Mapping[str, str]) -> str:
        """What a tool answers.

        Raises:
            LookupError: there is no such tool, argument or file.
            OSError, ValueError: a file cannot be read as text.
        """
        if name == "list_files":
            return "\n".join(f"{path} {file.stat().st_size}" for path, file in self.files.items())
        if name == "read_file":
            return self.files[arguments["path"]].read_text("utf-8")
        if name == "search_files":
            return "\n".join(self._lines_with(arguments["text"])[:MOST_LINES]) or "Nothing."
        raise LookupError(f"there is no tool {name}")

    def _lines_with(self, text: str) -> list[str]:
        return [
            f"{path}:{number}: {line.strip()}"
            for path, file in self.files.items()
            for number, line in enumerate(file.read_text("utf-8").splitlines(), 1)
            if text in line
        ]
