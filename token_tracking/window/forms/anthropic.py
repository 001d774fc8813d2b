"""Anthropic's Messages form."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from token_tracking.window.blocks import Block, Kind, PlainMessage
from token_tracking.window.forms.media import (
    HIGH,
    STANDARD,
    image_tokens,
    pdf_tokens,
    sealed_tokens,
)

CALL_TYPES: Final = frozenset({"tool_use", "server_tool_use", "mcp_tool_use"})
"""Calls of tools: the caller's own, the provider's, and an MCP server's that the provider runs."""

KINDS: Final[dict[str, Kind]] = {
    "text": "text",
    "thinking": "thinking",
    "redacted_thinking": "thinking",
    "image": "image",
    "document": "document",
    **dict.fromkeys(CALL_TYPES, "tool_use"),
}
"""Block types and their kinds; results end in `tool_result`, all others are `other`."""

_JSON: Final = json.JSONEncoder(ensure_ascii=False, skipkeys=True)
_CLEARABLE: Final = frozenset({"tool_result", "mcp_tool_result"})
_UNREAD: Final = frozenset({"type", "id", "tool_use_id", "cache_control", "signature", "citations"})


class AnthropicForm:
    """Messages as `client.messages.create` takes them.

    A thinking block counts as its text; its signature is not counted, unless the text was left
    out (`display: omitted`): then the signature holds the sealed thinking, and its length tells
    the tokens, as with redacted thinking.
    """

    name = "anthropic"

    def __init__(self, *, high_resolution: bool = False) -> None:
        """`high_resolution` for models from Opus 4.7 on, for which an image may cost 4,784
        tokens instead of 1,568."""
        self._resolution = HIGH if high_resolution else STANDARD

    def blocks(self, message: PlainMessage, number: int) -> list[Block]:
        """The blocks of a message, `tokens` not yet counted. Unknown ones are of kind `other`."""
        content = message.get("content")
        if isinstance(content, str):
            return [Block(number, 0, "text", content, content)]
        raws: list[dict[str, Any]] = content or []
        return [self._block(raw, number, index) for index, raw in enumerate(raws)]

    def starts_turn(self, message: PlainMessage) -> bool:
        """Whether a user speaks here: it is no message that only carries tool results."""
        if message.get("role") != "user":
            return False
        content = message.get("content")
        if isinstance(content, str):
            return bool(content)
        raws: list[dict[str, Any]] = content or []
        return any(raw.get("type") != "tool_result" for raw in raws)

    def with_blocks(self, message: PlainMessage, raws: Sequence[Any]) -> PlainMessage:
        """The message with other blocks in the places of its own, as many as it had."""
        if len(raws) == 1 and isinstance(raws[0], str):
            return {**message, "content": raws[0]}
        blocks = [{"type": "text", "text": raw} if isinstance(raw, str) else raw for raw in raws]
        return {**message, "content": blocks}

    def cleared_result(self, block: Block, text: str) -> Any:
        """A raw block in a tool result's place, with `text` as its content and all else as it was;
        a breakpoint within the content becomes the result's own. A result of the provider's own
        tools is left as it is: its content may not be text."""
        raw = cast(dict[str, Any], block.raw)
        if raw.get("type") not in _CLEARABLE:
            return raw
        control = last_control(raw)
        marked = {"cache_control": control} if control else {}
        return {**raw, "content": text, **marked}

    def cleared_input(self, block: Block, note: str) -> Any:
        """A raw block in a tool call's place: the same id and name, arguments that only hold
        `note`."""
        return {**cast(dict[str, Any], block.raw), "input": {"note": note}}

    def user_text(self, text: str) -> PlainMessage:
        """A message of the user with this text."""
        return {"role": "user", "content": text}

    def error_results(self, calls: Sequence[Block], texts: Sequence[str]) -> list[PlainMessage]:
        """The message that answers calls with one error each."""
        results = [
            {"type": "tool_result", "tool_use_id": call.tool_id, "content": text, "is_error": True}
            for call, text in zip(calls, texts, strict=True)
        ]
        return [{"role": "user", "content": results}] if results else []

    def joined_results(
        self, message: PlainMessage | None, results: Sequence[PlainMessage]
    ) -> list[PlainMessage]:
        """One message with all results, those of `message` first, and then what else it says."""
        mine = _content_blocks(message) if message else []
        carried = [raw for raw in mine if raw.get("type") == "tool_result"]
        said = [raw for raw in mine if raw.get("type") != "tool_result"]
        added = [raw for result in results for raw in _content_blocks(result)]
        joined = {**(message or {"role": "user"}), "content": [*carried, *added, *said]}
        return [joined] if message or added else []

    def with_texts(
        self, message: PlainMessage, before: Sequence[str], after: Sequence[str]
    ) -> PlainMessage:
        """A user's message with texts in front of and behind what it says; never in front of tool
        results, which the API wants first."""
        mine = _content_blocks(message)
        carried = [raw for raw in mine if raw.get("type") == "tool_result"]
        said = [raw for raw in mine if raw.get("type") != "tool_result"]
        content = [*carried, *_texts(before), *said, *_texts(after)]
        return {**message, "content": content}

    def with_breakpoint(self, message: PlainMessage, index: int, ttl: str) -> PlainMessage:
        """The message with a cache breakpoint (`ttl` is `5m` or `1h`) at a block; the message
        itself where the block may hold none (thinking, blank text) or holds one already."""
        raws = _content_blocks(message)
        raw = raws[index]
        if raw.get("cache_control") or KINDS.get(raw["type"]) == "thinking" or _is_blank(raw):
            return message
        control = {"type": "ephemeral"} if ttl == "5m" else {"type": "ephemeral", "ttl": ttl}
        marked = {**raw, "cache_control": control}
        return {**message, "content": [*raws[:index], marked, *raws[index + 1 :]]}

    def _block(self, raw: dict[str, Any], number: int, index: int) -> Block:
        kind = _kind(raw["type"])
        text, flat = self._cost(kind, raw)
        block = Block(number, index, kind, raw, text, flat)
        if kind == "tool_use":
            block.tool_id, block.tool = _string(raw.get("id")), _string(raw.get("name"))
        elif kind == "tool_result":
            block.tool_id = _string(raw.get("tool_use_id"))
            block.is_error = raw.get("is_error") is True
        return block

    def _cost(self, kind: Kind, raw: dict[str, Any]) -> tuple[str, int]:
        if kind == "text" and isinstance(raw.get("text"), str):
            return raw["text"], 0
        if kind == "tool_use":
            arguments = _JSON.encode(raw.get("input"))
            return f"{raw.get('name')}\n{arguments}", 0
        if kind == "tool_result":
            return self._read(raw.get("content"))
        if kind == "thinking":
            thinking = raw.get("thinking")
            if isinstance(thinking, str) and thinking:
                return thinking, 0
            return "", sealed_tokens(raw.get("data") or raw.get("signature"))
        return self._read(raw)

    def _read(self, value: Any) -> tuple[str, int]:
        """The text within a value, and the flat cost of its images and documents."""
        if isinstance(value, str):
            return value, 0
        if isinstance(value, list | tuple):
            return _joined([self._read(part) for part in cast(Sequence[Any], value)])
        return self._part(cast(dict[str, Any], value)) if isinstance(value, dict) else ("", 0)

    def _part(self, part: dict[str, Any]) -> tuple[str, int]:
        kind, source = part.get("type"), part.get("source")
        if kind == "text":
            return _string(part.get("text")) or "", 0
        if kind in ("image", "base64"):
            holder = cast(dict[str, Any], source) if isinstance(source, dict) else part
            return "", image_tokens(holder.get("data"), self._resolution)
        if kind == "document" and isinstance(source, dict):
            return self._document(part, cast(dict[str, Any], source))
        return _joined([self._field(name, part[name]) for name in part if name not in _UNREAD])

    def _field(self, name: str, value: Any) -> tuple[str, int]:
        return ("", sealed_tokens(value)) if name.startswith("encrypted_") else self._read(value)

    def _document(self, part: dict[str, Any], source: dict[str, Any]) -> tuple[str, int]:
        titles = [(str(part[name]), 0) for name in ("title", "context") if part.get(name)]
        if source.get("type") == "text":
            body = self._read(source.get("data"))
        elif source.get("type") == "content":
            body = self._read(source.get("content"))
        else:
            body = "", pdf_tokens(source.get("data"))
        return _joined([*titles, body])


def last_control(raw: Mapping[str, Any]) -> Any:
    """The `cache_control` of a block, or else the last within its content; `None` without any."""
    if raw.get("cache_control"):
        return raw["cache_control"]
    parts: object = raw.get("content")
    for part in reversed(cast(Sequence[object], parts) if isinstance(parts, list | tuple) else ()):
        control = last_control(cast(dict[str, Any], part)) if isinstance(part, dict) else None
        if control:
            return control
    return None


def _content_blocks(message: PlainMessage) -> list[dict[str, Any]]:
    content = message.get("content")
    if isinstance(content, str):
        return _texts([content]) if content else []
    return cast(list[dict[str, Any]], content or [])


def _texts(texts: Sequence[str]) -> list[dict[str, Any]]:
    return [{"type": "text", "text": text} for text in texts]


def _kind(name: str) -> Kind:
    return "tool_result" if name.endswith("tool_result") else KINDS.get(name, "other")


def _joined(parts: Sequence[tuple[str, int]]) -> tuple[str, int]:
    return "\n".join(text for text, _ in parts if text), sum(flat for _, flat in parts)


def _string(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _is_blank(raw: Mapping[str, Any]) -> bool:
    return raw.get("type") == "text" and not str(raw.get("text", "")).strip()
