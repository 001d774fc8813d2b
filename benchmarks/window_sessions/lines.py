"""Lines of a session's files, with their content, as far as a conversation needs them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, cast

import msgspec

from benchmarks.window_sessions.ledger import named_session
from token_tracking.sources.claude_code.lines import without_nul
from token_tracking.sources.claude_code.times import milliseconds
from token_tracking.usage import message_key

Role = Literal["user", "assistant", "boundary", "other"]
"""`other` lines hold no content; they only join those before and after them."""

_LONGEST_LINE: Final = 1 << 26
"""64 MiB, as the ledger has it: a longer line is skipped."""

PROGRESS: Final = "progress:"
"""Begins the chain of a subagent that stands in progress lines."""

Fields = dict[str, Any]


@dataclass(slots=True, eq=False)
class Entry:
    """A line. `before` is the line of its chain that was read last, for a parent that is missing;
    `key` is the message's identity in the ledger, of an answer."""

    uuid: str
    parent: str | None
    before: str | None
    chain: str
    role: Role
    order: int
    at: int
    key: str
    model: str
    blocks: list[Fields]


class Lines:
    """Reads the files of one session into `entries`, by uuid; of two alike the first is kept."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.microcompactions = 0
        self._last: dict[str, str] = {}
        self._now: int | None = None
        self._session = ""

    def read(self, path: str) -> None:
        """Take the lines of a file; those that are no JSON object are passed over."""
        self._session, self._now = named_session(path), None
        for number, raw in enumerate(_raw_lines(path)):
            line = _decoded(raw)
            if line is not None:
                self._take(line, f"{path}:{number}")

    def _take(self, line: Fields, place: str) -> None:
        at = milliseconds(_text(line.get("timestamp")))
        self._now = self._now if at is None else at
        data = _fields(line.get("data"))
        if data.get("type") == "agent_progress":
            self._take_progress(line, data, place)
        agent = _text(line.get("agentId"))
        chain = agent or ("sidechain" if line.get("isSidechain") is True else "main")
        self.microcompactions += line.get("subtype") == "microcompact_boundary"
        self._enter(line, chain, place)

    def _take_progress(self, line: Fields, data: Fields, place: str) -> None:
        """A subagent's line inside a progress line: its chain is the agent's, in file order."""
        nested = _fields(data.get("message"))
        uuid = _text(nested.get("uuid")) or f"{line.get('uuid') or place}.0"
        times = (_text(nested.get("timestamp")), _text(line.get("timestamp")))
        standing = {
            "uuid": uuid,
            "timestamp": times[0] or times[1],
            "sessionId": line.get("sessionId"),
        }
        own = {name: nested.get(name) for name in ("type", "message", "requestId")}
        self._enter({**own, **standing}, f"{PROGRESS}{data.get('agentId')}", uuid)

    def _enter(self, line: Fields, chain: str, place: str) -> None:
        uuid = _text(line.get("uuid")) or place
        if uuid in self.entries:
            return
        role = _role(line)
        message = _fields(line.get("message"))
        before = self._last.get(chain)
        names_parent = "parentUuid" in line
        entry = Entry(
            uuid=uuid,
            parent=_text(line.get("parentUuid")) if names_parent else before,
            before=before,
            chain=chain,
            role=role,
            order=len(self.entries),
            at=milliseconds(_text(line.get("timestamp"))) or self._now or 0,
            key="",
            model=_text(message.get("model")) or "",
            blocks=_content(line, message, role),
        )
        if role == "boundary":
            entry.parent = None
        if role == "assistant":
            entry.key = self._key(line, message, entry.at)
        self.entries[uuid] = entry
        if role != "other" or names_parent:
            self._last[chain] = uuid

    def _key(self, line: Fields, message: Fields, at: int) -> str:
        session = without_nul(_text(line.get("sessionId")) or self._session)
        message_id = without_nul(_text(message.get("id")) or "")
        return message_key(message_id, session, _text(line.get("requestId")), at)


def _raw_lines(path: str) -> Iterator[bytes]:
    with Path(path).open("rb") as file:
        while line := file.readline(_LONGEST_LINE):
            if line.endswith(b"\n") or len(line) < _LONGEST_LINE:
                yield line
                continue
            while line and not line.endswith(b"\n"):
                line = file.readline(_LONGEST_LINE)


def _decoded(raw: bytes) -> Fields | None:
    try:
        line: object = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        line = _repaired(raw)
    return cast("Fields", line) if isinstance(line, dict) else None


def _repaired(raw: bytes) -> object:
    """JSON with bytes that are no UTF-8, or half of an emoji, which JavaScript writes."""
    try:
        loose = json.loads(raw.decode("utf-8", "replace"))
        return msgspec.json.decode(json.dumps(loose, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None


def _role(line: Fields) -> Role:
    kind = line.get("type")
    if kind == "assistant":
        return "assistant"
    if kind in {"user", "attachment"}:
        return "user"
    is_boundary = kind == "system" and line.get("subtype") == "compact_boundary"
    return "boundary" if is_boundary else "other"


def _content(line: Fields, message: Fields, role: Role) -> list[Fields]:
    if role not in {"user", "assistant"}:
        return []
    if line.get("type") == "attachment":
        attached = line.get("attachment")
        return [{"type": "text", "text": msgspec.json.encode(attached).decode()}]
    content = message.get("content")
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    blocks = cast("list[Any]", content) if isinstance(content, list) else []
    return [_block(cast("Fields", block)) for block in blocks if isinstance(block, dict)]


def _block(block: Fields) -> Fields:
    """The block without a breakpoint of the cache: whoever replays it sets their own."""
    if "cache_control" not in block:
        return block
    return {name: value for name, value in block.items() if name != "cache_control"}


def _fields(value: object) -> Fields:
    return cast("Fields", value) if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
