"""Anthropic's messages as Chat Completions dicts with LiteLLM's `thinking_blocks`, and back.

What that form has no place for (cache breakpoints, blocks of the provider's own tools) stays with
the original, and comes back with it.
"""

import json
from dataclasses import dataclass, field
from typing import Any, cast

from .history import Message, Piece, is_tool_result, kind_of, runs

ORIGIN = "origin"
"""The key under which a dict carries its place; LiteLLM counts no integers."""


@dataclass(frozen=True)
class Source:
    """What a dict was made from: a message's number and part of its content; and the dict."""

    number: int
    content: str | list[Any]
    made: Message


@dataclass
class OpenAIForm:
    """Converts messages, and remembers what each dict was made from."""

    _sources: list[Source] = field(default_factory=list[Source])

    def convert(self, number: int, place: int, message: Message) -> list[Message]:
        """The dicts that stand for a message; `place` is that of the first among all."""
        del self._sources[place:]
        content = message["content"]
        sources = runs(content) if _is_of_user(message) else [content]
        made = [_converted(message["role"], source) for source in sources]
        for offset, (one, source) in enumerate(zip(made, sources, strict=True)):
            one[ORIGIN] = place + offset
            self._sources.append(Source(number, source, dict(one)))
        return made

    def piece(self, part: Message) -> Piece:
        """What a dict that came back holds; its text may have been shortened."""
        place: int = part[ORIGIN]
        source = self._sources[place]
        if part == source.made:
            return Piece(source.number, source.content)
        return Piece(source.number, _with_text(source.content, part["content"]))


def _is_of_user(message: Message) -> bool:
    return message["role"] == "user" and isinstance(message["content"], list)


def _converted(role: str, source: str | list[Any]) -> Message:
    if isinstance(source, str):
        return {"role": role, "content": source}
    if role == "assistant":
        return _assistant(source)
    if source and is_tool_result(source[0]):
        result = source[0]
        content = _content(_blocks(result.get("content")))
        return {"role": "tool", "tool_call_id": result.get("tool_use_id"), "content": content}
    return {"role": "user", "content": _content(source)}


def _blocks(content: Any) -> list[Any]:
    if isinstance(content, list):
        return cast("list[Any]", content)
    return [{"type": "text", "text": content or ""}]


def _content(blocks: list[Any]) -> str | list[Any]:
    """A string where there is only text: LiteLLM cannot shorten a list."""
    parts = [_content_part(block) for block in blocks]
    if all(part["type"] == "text" for part in parts):
        return "\n\n".join(part["text"] for part in parts)
    return parts


def _content_part(block: Any) -> Message:
    kind = kind_of(block)
    if kind == "text":
        return {"type": "text", "text": block["text"]}
    url = _url(block.get("source") or {}) if kind in {"image", "document"} else None
    if url and kind == "image":
        return {"type": "image_url", "image_url": {"url": url}}
    if url:
        return {"type": "file", "file": {"file_data": url}}
    return {"type": "text", "text": json.dumps(block)}


def _url(source: Message) -> str | None:
    if source.get("type") == "base64":
        return f"data:{source['media_type']};base64,{source['data']}"
    return source.get("url")


def _assistant(blocks: list[Any]) -> Message:
    texts = [block["text"] for block in blocks if kind_of(block) == "text"]
    calls = [_call(block) for block in blocks if kind_of(block) == "tool_use"]
    thinking = [b for b in blocks if kind_of(b) in {"thinking", "redacted_thinking"}]
    # None where there is no text, as in the answers that LiteLLM itself gives.
    made: Message = {"role": "assistant", "content": "".join(texts) or None}
    if calls:
        made["tool_calls"] = calls
    if thinking:
        made["thinking_blocks"] = thinking
    return made


def _call(block: Message) -> Message:
    function = {"name": block["name"], "arguments": json.dumps(block["input"])}
    return {"id": block["id"], "type": "function", "function": function}


def _with_text(source: str | list[Any], text: str) -> str | list[Any]:
    """The source with all its text replaced, in the place of its first text."""
    if isinstance(source, str):
        return text
    if source and is_tool_result(source[0]):
        return [{**source[0], "content": text}]
    is_text = [kind_of(block) == "text" for block in source]
    at = is_text.index(True) if True in is_text else len(source)
    behind = [block for block in source[at:] if kind_of(block) != "text"]
    return [*source[:at], {"type": "text", "text": text}, *behind]
