"""Copies of a tree of transcripts, each with ids of its own."""

import hashlib
import random
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

# Every id that transcripts hold: of messages, requests and tool uses, uuids (lines, sessions,
# prompts), and of subagents. Same ids of one copy stay the same, in file names too.
ID = re.compile(
    rb"((?:msg|req|toolu|srvtoolu)_[0-9A-Za-z]{6,}"
    rb"|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    rb'|(?<="agentId":")[0-9a-z]+|(?<="toolUseID":")[0-9a-f]{9,}|(?<=/agent-)[0-9a-z]+)'
)


@dataclass(frozen=True)
class Renaming:
    """Maps ids to new ones of the same length and form; the same seed, the same ids."""

    key: bytes
    known: dict[bytes, bytes] = field(default_factory=dict[bytes, bytes])

    def new(self, old: bytes) -> bytes:
        """The id that stands for `old` in this copy."""
        found = self.known.get(old)
        if found is None:
            found = self.known[old] = self._derive(old)
        return found

    def text(self, parts: list[bytes]) -> bytes:
        """A text that `ID.split` took apart, with its ids (every second part) replaced."""
        new = parts.copy()
        new[1::2] = map(self.new, parts[1::2])
        return b"".join(new)

    def _derive(self, old: bytes) -> bytes:
        digits = hashlib.blake2b(old, key=self.key).hexdigest().encode()
        prefix, mark, body = old.rpartition(b"_")
        if mark:
            return prefix + mark + digits[: len(body)]
        if old.count(b"-") == 4:
            groups = (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:32])
            return b"-".join(groups)
        return digits[: len(old)]


@dataclass(frozen=True)
class SourceFile:
    """A file of the tree that is copied, taken apart once."""

    root: Path
    path: Path

    @cached_property
    def parts(self) -> list[bytes]:
        """The text between ids and the ids, in turn."""
        return ID.split(self.path.read_bytes())

    def write_copy(self, target: Path, copy: int, renaming: Renaming) -> int:
        """Write this file under `target`, in a project folder of the copy; its size in bytes."""
        folder, *rest = self.path.relative_to(self.root).parts
        name = renaming.text(ID.split(("/" + "/".join(rest)).encode())).decode()
        path = target / f"{folder}-{copy:04d}{name}"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.write_bytes(renaming.text(self.parts))


def copy_tree(target: Path, source: Path, target_bytes: float, seed: int) -> None:
    """Fill `target` with copies of the transcripts under `source` until it has enough bytes.

    Raises FileNotFoundError where `source` holds no transcripts.
    """
    files = [SourceFile(source, path) for path in sorted(source.rglob("*.jsonl"))]
    if not any(file.path.stat().st_size for file in files):
        raise FileNotFoundError(f"no transcripts (*.jsonl) under {source}")
    random.Random(seed).shuffle(files)
    written, copy = 0, 0
    while written < target_bytes:
        renaming = Renaming(f"{seed}:{copy}".encode())
        for file in files:
            if written >= target_bytes:
                return
            written += file.write_copy(target, copy, renaming)
        copy += 1
