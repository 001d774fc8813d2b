"""Lines of Claude Code transcripts, as small as they can be."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

SESSION = "11111111-1111-4111-8111-111111111111"
FORK = "22222222-2222-4222-8222-222222222222"
MODEL = "claude-opus-4-6"


def at(second: int) -> str:
    """A time, `second` seconds after a quiet Monday noon."""
    return f"2026-03-02T12:{second // 60:02d}:{second % 60:02d}.000Z"


def usage(output: int = 10, **counts: Any) -> dict[str, Any]:
    """The usage of a response: 5 tokens in, `output` out, and what is given."""
    return {"input_tokens": 5, "output_tokens": output, **counts}


def answer(
    message: str = "msg_a",
    *,
    uuid: str = "u-a",
    parent: str | None = None,
    second: int = 10,
    content: list[dict[str, Any]] | None = None,
    billed: Any = None,
    stop: str | None = "end_turn",
    **line: Any,
) -> dict[str, Any]:
    """One line of an answer."""
    return {
        "type": "assistant",
        "uuid": uuid,
        "parentUuid": parent,
        "sessionId": SESSION,
        "timestamp": at(second),
        "cwd": "/home/sam/shop",
        "gitBranch": "main",
        "version": "2.1.200",
        "entrypoint": "cli",
        "isSidechain": False,
        "requestId": "req_1",
        "message": {
            "id": message,
            "type": "message",
            "role": "assistant",
            "model": MODEL,
            "content": [{"type": "text", "text": "hello"}] if content is None else content,
            "stop_reason": stop,
            "usage": usage() if billed is None else billed,
        },
        **line,
    }


def asked(
    content: Any = "hi",
    *,
    uuid: str = "u-u",
    parent: str | None = None,
    second: int = 1,
    **line: Any,
) -> dict[str, Any]:
    """A line of the user's side."""
    return {
        "type": "user",
        "uuid": uuid,
        "parentUuid": parent,
        "sessionId": SESSION,
        "timestamp": at(second),
        "cwd": "/home/sam/shop",
        "message": {"role": "user", "content": content},
        **line,
    }


def tool_use(tool_id: str, name: str = "Bash", **arguments: Any) -> dict[str, Any]:
    """A tool call in an answer."""
    return {"type": "tool_use", "id": tool_id, "name": name, "input": arguments}


def tool_result(tool_id: str, text: Any = "done") -> dict[str, Any]:
    """What a tool call brought, in a user line."""
    return {"type": "tool_result", "tool_use_id": tool_id, "content": text}


def agent_progress(agent: str, nested: dict[str, Any], **line: Any) -> dict[str, Any]:
    """The line of a subagent inside a progress line of the main file."""
    kept = {key: nested[key] for key in ("type", "uuid", "timestamp", "message")}
    return {
        "type": "progress",
        "uuid": f"p-{nested['uuid']}",
        "parentUuid": None,
        "sessionId": SESSION,
        "timestamp": nested["timestamp"],
        "cwd": "/home/sam/shop",
        "version": "2.1.20",
        "isSidechain": False,
        "data": {"type": "agent_progress", "agentId": agent, "message": kept, "prompt": "look"},
        **line,
    }


def text(lines: Iterable[Any], *, end: str = "\n") -> str:
    """Lines as a file has them; dicts as JSON, texts as they are."""
    rows = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    return "\n".join(rows) + end


def write(folder: Path, lines: Iterable[Any], name: str = SESSION, *, end: str = "\n") -> Path:
    """A transcript under a Claude folder."""
    path = folder / "projects" / "-home-sam-shop" / f"{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text(lines, end=end), encoding="utf-8")
    return path


def forked(lines: Iterable[dict[str, Any]], session: str = FORK) -> list[dict[str, Any]]:
    """The lines as a fork repeats them: another session, directory, branch and parent."""
    return [
        {**line, "sessionId": session, "cwd": "/home/sam/other", "gitBranch": "fork"}
        for line in lines
        if "uuid" in line
    ]
