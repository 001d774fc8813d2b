"""How many tokens the server says that there are: its own truth, made to be worked out by hand.

A text costs a token for every four characters, rounded up. A block costs the sum of its texts:

- text, thinking and compaction: what they say (a signature is free);
- a tool call: its name, and its input as compact JSON;
- a tool result: its content, the parts of a list each by itself;
- an image 1,600 and a document in base64 3,000, whatever their size;
- a tool's definition, and a block of any other type: its compact JSON, but for `cache_control`.

Messages and requests cost nothing beside their blocks.
"""

import json
from collections.abc import Callable
from typing import Any

from tests.upstream.values import Json, blocks

IMAGE_TOKENS = 1_600
DOCUMENT_TOKENS = 3_000


def text_tokens(text: str) -> int:
    """The tokens of a text: its characters by four, rounded up."""
    return -(-len(text) // 4)


def compact(value: Any) -> str:
    """A value as JSON without blanks, keys in their order."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def unmarked(block: Json) -> Json:
    """A block without its cache breakpoint."""
    return {name: value for name, value in block.items() if name != "cache_control"}


def _document(block: Json) -> int:
    source: Json = block.get("source") or {}
    if source.get("type") == "text":
        return text_tokens(source.get("data", ""))
    return DOCUMENT_TOKENS


_SIZES: dict[str, Callable[[Json], int]] = {
    "text": lambda block: text_tokens(block["text"]),
    "thinking": lambda block: text_tokens(block["thinking"]),
    "redacted_thinking": lambda block: text_tokens(block["data"]),
    "compaction": lambda block: text_tokens(block.get("content") or ""),
    "tool_use": lambda block: text_tokens(block["name"]) + text_tokens(compact(block["input"])),
    "tool_result": lambda block: sum(block_tokens(part) for part in blocks(block.get("content"))),
    "image": lambda _: IMAGE_TOKENS,
    "document": _document,
}


def block_tokens(block: Json) -> int:
    """The tokens of a content block."""
    return _SIZES.get(block["type"], tool_tokens)(block)


def tool_tokens(tool: Json) -> int:
    """The tokens of a tool's definition, or of a block that is not known."""
    return text_tokens(compact(unmarked(tool)))
