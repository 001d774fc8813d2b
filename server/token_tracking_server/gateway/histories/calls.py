"""Calls of tools in messages of either form, as far as turns may not be put between them."""

from typing import Any, cast


def calls_tools(message: object) -> bool:
    """Whether a message ends with calls, which the next one has to answer."""
    return bool(_field(message, "tool_calls")) or _has(message, "tool_use")


def answers_calls(message: object) -> bool:
    """Whether a message answers calls of the one before it."""
    return _field(message, "role") in ("tool", "function") or _has(message, "tool_result")


def _has(message: object, kind: str) -> bool:
    content = _field(message, "content")
    listed = cast("list[Any]", content) if isinstance(content, list) else []
    return any(_field(block, "type") == kind for block in listed)


def _field(value: object, name: str) -> object:
    return cast("dict[str, object]", value).get(name) if isinstance(value, dict) else None
