"""Where Claude Code keeps its transcripts."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from token_tracking.reading import MAX_INODE, FoundFile, stored_path


def claude_folders(given: Sequence[Path], environment: Mapping[str, str]) -> list[Path]:
    """The folders to read: those given, or `CLAUDE_CONFIG_DIR` (a comma separates several), or
    `~/.claude` and `~/.config/claude`. Folders that are one and the same stand once."""
    configured = [part.strip() for part in environment.get("CLAUDE_CONFIG_DIR", "").split(",")]
    if given:
        folders = list(given)
    elif any(configured):
        folders = [Path(part) for part in configured if part]
    else:
        folders = [Path.home() / ".claude", Path.home() / ".config" / "claude"]
    return list(
        {os.path.realpath(folder.expanduser()): folder.expanduser() for folder in folders}.values()
    )


def transcripts(folder: Path, failures: dict[str, str]) -> Iterator[FoundFile]:
    """Every `*.jsonl` under the folder's `projects` (or under the folder, where it has none).

    A folder that cannot be read is put into `failures` with the reason.
    """
    projects = folder / "projects"
    root = projects if projects.is_dir() else folder
    pending, visited = [str(root)], {os.path.realpath(root)}
    while pending:
        current = pending.pop()
        try:
            with os.scandir(current) as entries:
                for entry in entries:
                    if entry.name.endswith(".jsonl"):
                        if (found := _found(entry, failures)) is not None:
                            yield found
                    elif _is_new_folder(entry, visited):
                        pending.append(entry.path)
        except OSError as error:
            failures[stored_path(current)] = error.strerror or str(error)


def _is_new_folder(entry: os.DirEntry[str], visited: set[str]) -> bool:
    try:
        if not entry.is_dir():
            return False
    except OSError:
        return False
    if not entry.is_symlink():
        return True
    target = os.path.realpath(entry.path)
    if target in visited:
        return False
    visited.add(target)
    return True


def _found(entry: os.DirEntry[str], failures: dict[str, str]) -> FoundFile | None:
    try:
        if entry.is_file():
            state = entry.stat()
            return FoundFile(entry.path, state.st_ino & MAX_INODE, state.st_mtime_ns, state.st_size)
    except FileNotFoundError:
        pass
    except OSError as error:
        failures[stored_path(entry.path)] = error.strerror or str(error)
    return None
