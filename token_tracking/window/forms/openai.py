"""OpenAI's Chat Completions form."""

import json
from collections.abc import Sequence
from math import ceil
from typing import Any, Final, cast

from token_tracking.window.blocks import Block, Kind, PlainMessage
from token_tracking.window.forms.media import image_size, pdf_tokens, sealed_tokens

RESULT_ROLES: Final = frozenset({"tool", "function"})
"""Roles that carry one tool result; `function` is the older one, without ids."""

LOW_DETAIL_TOKENS: Final = 85
TILE_TOKENS: Final = 170
UNKNOWN_IMAGE_TOKENS: Final = 765
"""Tokens of an image in GPT-4o's rule, by OpenAI's guide to images: 85, and 170 for each tile of
512 pixels after scaling into 2,048 and to 768 on the shorter side; 1,024 x 1,024 costs 765, which
stands for an image of unknown size. Later models count otherwise."""

_PART_KINDS: Final[dict[str, Kind]] = {
    "text": "text",
    "refusal": "text",
    "image_url": "image",
    "file": "document",
}


class OpenAIForm:
    """Messages as `client.chat.completions.create` takes them. There are no cache breakpoints.

    A call of `tool_calls` is a block behind those of the content; a `tool` message is one block,
    whose `raw` is the message.
    """

    name = "openai"

    def blocks(self, message: PlainMessage, number: int) -> list[Block]:
        """The blocks of a message, `tokens` not yet counted. Unknown ones are of kind `other`."""
        if message.get("role") in RESULT_ROLES:
            return [_result(message, number)]
        content = message.get("content")
        if isinstance(content, str):
            blocks = [Block(number, 0, "text", content, content)]
        else:
            parts = cast(list[dict[str, Any]], content or [])
            blocks = [_part(raw, number, index) for index, raw in enumerate(parts)]
        calls = enumerate(_calls(message), len(blocks))
        return blocks + [_call(raw, number, index) for index, raw in calls]

    def starts_turn(self, message: PlainMessage) -> bool:
        """Whether a user speaks here."""
        return message.get("role") == "user"

    def with_blocks(self, message: PlainMessage, raws: Sequence[Any]) -> PlainMessage:
        """The message with other blocks in the places of its own, as many as it had."""
        if message.get("role") in RESULT_ROLES:
            return dict(raws[0])
        content = message.get("content")
        size = 1 if isinstance(content, str) else len(content or [])
        changed = {**message, "content": _content(raws[:size])} if size else dict(message)
        if isinstance(message.get("tool_calls"), list):
            changed["tool_calls"] = list(raws[size:])
        elif len(raws) > size:
            changed["function_call"] = raws[size]
        return changed

    def cleared_result(self, block: Block, text: str) -> Any:
        """A message in a tool message's place, with `text` as its content and all else kept."""
        return {**cast(dict[str, Any], block.raw), "content": text}

    def cleared_input(self, block: Block, note: str) -> Any:
        """A call in a tool call's place: the same id and name, arguments that only hold `note`."""
        raw = cast(dict[str, Any], block.raw)
        arguments = json.dumps({"note": note}, ensure_ascii=False)
        if isinstance(raw.get("function"), dict):
            return {**raw, "function": {**raw["function"], "arguments": arguments}}
        if isinstance(raw.get("custom"), dict):
            return {**raw, "custom": {**raw["custom"], "input": note}}
        return {**raw, "arguments": arguments}

    def user_text(self, text: str) -> PlainMessage:
        """A message of the user with this text."""
        return {"role": "user", "content": text}

    def error_results(self, calls: Sequence[Block], texts: Sequence[str]) -> list[PlainMessage]:
        """The messages that answer calls with one error each; the form has no mark for errors."""
        return [_answer(call, text) for call, text in zip(calls, texts, strict=True)]

    def joined_results(
        self, message: PlainMessage | None, results: Sequence[PlainMessage]
    ) -> list[PlainMessage]:
        """The results, in front of `message`."""
        return [*results, message] if message else list(results)

    def with_texts(
        self, message: PlainMessage, before: Sequence[str], after: Sequence[str]
    ) -> PlainMessage:
        """A user's message with texts in front of and behind what it says."""
        content = message.get("content")
        said = _texts([content]) if isinstance(content, str) else list(content or [])
        return {**message, "content": [*_texts(before), *said, *_texts(after)]}

    def with_breakpoint(self, message: PlainMessage, index: int, ttl: str) -> PlainMessage:
        """The message itself: this form has no cache breakpoints."""
        return message


def openai_image_tokens(part: object) -> int:
    """The tokens of an `image_url` part, from its detail and the first bytes of a data URL."""
    holder = cast(dict[str, Any], part) if isinstance(part, dict) else {}
    if holder.get("detail") == "low":
        return LOW_DETAIL_TOKENS
    size = image_size(_data(holder.get("url")))
    if size is None:
        return UNKNOWN_IMAGE_TOKENS
    scale = min(1.0, 2_048 / max(size))
    scale *= min(1.0, 768 / (min(size) * scale))
    tiles = [ceil(round(side * scale) / 512) for side in size]
    return LOW_DETAIL_TOKENS + TILE_TOKENS * tiles[0] * tiles[1]


def _result(message: PlainMessage, number: int) -> Block:
    content = message.get("content")
    if isinstance(content, str):
        text, flat = content, 0
    else:
        parts = [_part(raw, number, 0) for raw in cast(list[dict[str, Any]], content or [])]
        text = "\n".join(part.text for part in parts if part.text)
        flat = sum(part.flat_tokens for part in parts)
    return Block(
        number,
        0,
        "tool_result",
        message,
        text,
        flat,
        tool_id=_string(message.get("tool_call_id")),
        tool=_string(message.get("name")),
    )


def _part(raw: dict[str, Any], number: int, index: int) -> Block:
    kind = _PART_KINDS.get(str(raw.get("type")), "other")
    if kind == "text":
        return Block(number, index, kind, raw, str(raw.get("text") or raw.get("refusal") or ""))
    if kind == "image":
        tokens = openai_image_tokens(raw.get("image_url"))
        return Block(number, index, kind, raw, flat_tokens=tokens)
    if kind == "document":
        file = raw.get("file")
        data = cast(dict[str, Any], file).get("file_data") if isinstance(file, dict) else None
        return Block(number, index, kind, raw, flat_tokens=pdf_tokens(_data(data)))
    if raw.get("type") == "input_audio" and isinstance(raw.get("input_audio"), dict):
        sound = sealed_tokens(raw["input_audio"].get("data"))  # far too much rather than nothing
        return Block(number, index, kind, raw, flat_tokens=sound)
    return Block(number, index, kind, raw, json.dumps(raw, ensure_ascii=False, skipkeys=True))


def _calls(message: PlainMessage) -> list[dict[str, Any]]:
    calls = message.get("tool_calls")
    if isinstance(calls, list):
        return [call for call in cast(list[Any], calls) if isinstance(call, dict)]
    legacy = message.get("function_call")
    return [cast(dict[str, Any], legacy)] if isinstance(legacy, dict) else []


def _call(raw: dict[str, Any], number: int, index: int) -> Block:
    inner = raw.get("function") or raw.get("custom") or raw
    call = cast(dict[str, Any], inner) if isinstance(inner, dict) else {}
    arguments = call.get("arguments", call.get("input"))
    if not isinstance(arguments, str):
        arguments = json.dumps(arguments, ensure_ascii=False, skipkeys=True)
    name = _string(call.get("name"))
    text = f"{name}\n{arguments}"
    tool_id = _string(raw.get("id"))
    return Block(number, index, "tool_use", raw, text, tool_id=tool_id, tool=name)


def _answer(call: Block, text: str) -> PlainMessage:
    if call.tool_id is None:
        return {"role": "function", "name": call.tool, "content": text}
    return {"role": "tool", "tool_call_id": call.tool_id, "content": text}


def _texts(texts: Sequence[str]) -> list[Any]:
    return [{"type": "text", "text": text} for text in texts]


def _content(raws: Sequence[Any]) -> Any:
    if len(raws) == 1 and isinstance(raws[0], str):
        return raws[0]
    return [{"type": "text", "text": raw} if isinstance(raw, str) else raw for raw in raws]


def _data(url: object) -> str:
    head, comma, data = url.partition(",") if isinstance(url, str) else ("", "", "")
    return data if comma and head.startswith("data:") else ""


def _string(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
