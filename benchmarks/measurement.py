"""The statistics of a tree of transcripts, to compare generated trees with real ones."""

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

TOKENS = (
    "input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
)


@dataclass
class Sightings:
    """All sightings of one message id."""

    lines_of_first_session: int = 0
    sessions: set[str] = field(default_factory=set[str])
    final: bool = False
    first: dict[str, int] = field(default_factory=dict[str, int])
    largest: dict[str, int] = field(default_factory=dict[str, int])

    def see(self, session: str, message: dict[str, Any]) -> None:
        """Add one line's sighting."""
        usage = {name: int(message["usage"].get(name) or 0) for name in TOKENS}
        self.first = self.first or usage
        self.largest = {name: max(usage[name], self.largest.get(name, 0)) for name in TOKENS}
        self.lines_of_first_session += not self.sessions or self.sessions == {session}
        self.sessions.add(session)
        self.final |= message.get("stop_reason") is not None


@dataclass
class Tally:
    """What a walk over a tree counts."""

    files: int = 0
    bytes: int = 0
    unterminated: int = 0
    subagent_files: int = 0
    line_bytes: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list[int]))
    messages: dict[str, Sightings] = field(default_factory=lambda: defaultdict(Sightings))
    in_progress: set[str] = field(default_factory=set[str])
    tools: set[str] = field(default_factory=set[str])
    tool_names: Counter[str] = field(default_factory=Counter[str])
    growth: list[int] = field(default_factory=list[int])
    turns: int = 0

    def read(self, path: Path) -> None:
        """Count one file."""
        data = path.read_bytes()
        self.files += 1
        self.bytes += len(data)
        self.subagent_files += path.parent.name == "subagents"
        self.unterminated += not data.endswith(b"\n")
        previous = 0
        for text in data.splitlines():
            line = json.loads(text)
            self.line_bytes[kind(line)].append(len(text))
            message = _message(line)
            if message is None:
                self.turns += kind(line) == "user: text" and not line.get("isMeta")
                continue
            previous = self._message(line, message, previous)

    def _message(self, line: dict[str, Any], message: dict[str, Any], previous: int) -> int:
        usage, main = message["usage"], line["type"] == "assistant"
        if not main:
            self.in_progress.add(message["id"])
        elif message["id"] not in self.messages and previous:
            self.growth.append(_prompt(usage) - previous)
        for block in message["content"]:
            if block["type"] == "tool_use" and block["id"] not in self.tools:
                self.tools.add(block["id"])
                self.tool_names[block["name"]] += 1
        self.messages[message["id"]].see(line["sessionId"], message)
        return _prompt(usage) if main else previous


def kind(line: dict[str, Any]) -> str:
    """A line's kind, such as `assistant: tool_use` or `progress: bash_progress`."""
    name = line["type"]
    if name == "system":
        return f"system: {line['subtype']}"
    if name == "progress":
        return f"progress: {line['data']['type']}"
    if name in ("user", "assistant"):
        content = line["message"]["content"]
        return f"{name}: {'text' if isinstance(content, str) else content[0]['type']}"
    return str(name)


def _message(line: dict[str, Any]) -> dict[str, Any] | None:
    if line["type"] == "progress":
        line = line["data"].get("message") or line
    message: dict[str, Any] | None = line.get("message") if line["type"] == "assistant" else None
    return message if message and message.get("usage") else None


def _prompt(usage: dict[str, Any]) -> int:
    return sum(int(usage.get(name) or 0) for name in TOKENS if name != "output_tokens")


def measure(root: Path) -> dict[str, Any]:
    """The statistics of every transcript under `root`; raises FileNotFoundError without any."""
    tally = Tally()
    for path in sorted(root.rglob("*.jsonl")):
        tally.read(path)
    if not tally.messages:
        raise FileNotFoundError(f"no transcripts with messages under {root}")
    return {**_sizes(tally), **_messages(tally), "lines_by_kind": _kinds(tally)}


def _sizes(tally: Tally) -> dict[str, Any]:
    lines = sum(map(len, tally.line_bytes.values()))
    return {
        "files": tally.files,
        "megabytes": tally.bytes / 1e6,
        "megabytes_per_file": tally.bytes / 1e6 / tally.files,
        "subagent_files": tally.subagent_files,
        "files_without_final_newline_percent": 100 * tally.unterminated / tally.files,
        "lines": lines,
        "bytes_per_line": tally.bytes / lines,
        "lines_per_message": lines / len(tally.messages),
        "bytes_per_message": tally.bytes / len(tally.messages),
    }


def _messages(tally: Tally) -> dict[str, Any]:
    found = list(tally.messages.values())
    count = len(found)
    totals = {name: sum(item.largest[name] for item in found) for name in TOKENS}
    first = sum(item.first["output_tokens"] for item in found)
    growth = sorted(tally.growth) or [0]
    return {
        "messages": count,
        "sightings_per_message": sum(item.lines_of_first_session for item in found) / count,
        "partial_percent": 100 * sum(not item.final for item in found) / count,
        "ids_in_several_sessions_percent": 100 * sum(len(i.sessions) > 1 for i in found) / count,
        "messages_in_progress_lines_percent": 100 * len(tally.in_progress) / count,
        "output_lost_by_keeping_first_percent": 100 * (1 - first / totals["output_tokens"]),
        "tool_uses_per_message": len(tally.tools) / count,
        "requests_per_prompt": count / max(1, tally.turns),
        "prompt_growth_median_tokens": growth[len(growth) // 2],
        "prompt_growth_mean_tokens": sum(growth) / len(growth),
        **{f"{name}_per_message": total / count for name, total in totals.items()},
        "totals": {**totals, "tool_uses": len(tally.tools)},
        "tools_percent": {
            name: 100 * uses / len(tally.tools) for name, uses in tally.tool_names.most_common(8)
        },
    }


def _kinds(tally: Tally) -> dict[str, Any]:
    count = len(tally.messages)
    return {
        name: {
            "per_message": len(sizes) / count,
            "bytes_median": sorted(sizes)[len(sizes) // 2],
            "bytes_mean": sum(sizes) / len(sizes),
        }
        for name, sizes in sorted(tally.line_bytes.items(), key=lambda item: -sum(item[1]))
    }


def table(statistics: dict[str, Any]) -> str:
    """The statistics as plain text."""
    rows = list[str]()
    for name, value in statistics.items():
        if isinstance(value, dict):
            nested: dict[str, Any] = value  # pyright: ignore[reportUnknownVariableType]
            rows += [f"{name}:", *(f"  {key:<38} {_cell(item)}" for key, item in nested.items())]
        else:
            rows.append(f"{name:<40} {_cell(value)}")
    return "\n".join(rows)


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        nested: dict[str, Any] = value  # pyright: ignore[reportUnknownVariableType]
        return "  ".join(f"{key} {_cell(item)}" for key, item in nested.items())
    return f"{value:,.3g}" if isinstance(value, float) and value < 100 else f"{value:,.0f}"
