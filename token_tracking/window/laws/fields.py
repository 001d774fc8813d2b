"""Whether the fields of a message are of the kind that its API wants."""

from collections.abc import Sequence
from typing import Any, Final, cast

from token_tracking.window.blocks import PlainMessage
from token_tracking.window.forms.anthropic import CALL_TYPES

ROLES: Final = {
    "anthropic": frozenset({"user", "assistant", "system"}),
    "openai": frozenset({"system", "developer", "user", "assistant", "tool", "function"}),
}
"""The roles of each form. Anthropic takes `system` behind a user's message, on newer models."""


def field_fault(message: PlainMessage, form: str) -> str | None:
    """What is wrong with the fields of a plain message; None for fields that are as they should
    be, or not known here."""
    role, content = message["role"], message.get("content")
    if role not in ROLES[form]:
        return f"the role {role!r} is unknown; roles are {', '.join(sorted(ROLES[form]))}"
    check = _anthropic_fault if form == "anthropic" else _part_fault
    blocks: list[dict[str, Any]] = [] if isinstance(content, str) else content or []
    for index, block in enumerate(blocks):
        fault = check(block)
        if fault is not None:
            return f"block {index}: {fault}"
    return _calls_fault(message.get("tool_calls")) if form == "openai" else None


def _anthropic_fault(block: dict[str, Any]) -> str | None:
    kind = block["type"]
    if kind in ("text", "thinking"):
        return _not(block, kind, str)
    if kind in CALL_TYPES:
        return _not(block, "name", str) or _not(block, "input", dict)
    if kind == "tool_result":
        return _result_fault(block)
    return _not(block, "source", dict) if kind in ("image", "document") else None


def _result_fault(block: dict[str, Any]) -> str | None:
    content = block.get("content")
    if isinstance(content, list | tuple):
        for part in cast(Sequence[Any], content):
            if not isinstance(part, dict):
                return f"its content holds a {type(part).__name__} where a block belongs"
            fields = cast(dict[str, Any], part)
            if _not(fields, "type", str) or (
                fields["type"] == "text" and _not(fields, "text", str)
            ):
                return "its content holds a block without a type, or without text"
    elif not isinstance(content, str | None):
        return f"its content is a {type(content).__name__}, not text or a list of blocks"
    return None if isinstance(block.get("is_error", False), bool) else "is_error is no bool"


def _part_fault(part: dict[str, Any]) -> str | None:
    if part["type"] == "text":
        return _not(part, "text", str)
    return _not(part, "image_url", dict) if part["type"] == "image_url" else None


def _calls_fault(calls: Any) -> str | None:
    if calls is None:
        return None
    if not isinstance(calls, list):
        return f"tool_calls is a {type(calls).__name__}, not a list"
    for call in cast(list[Any], calls):
        if not isinstance(call, dict):
            return f"tool_calls holds a {type(call).__name__}"
        fields = cast(dict[str, Any], call)
        inner = fields.get("function", fields.get("custom"))
        if not isinstance(inner, dict):
            return "a call has no function"
        function = cast(dict[str, Any], inner)
        arguments = "arguments" if "function" in fields else "input"
        fault = _not(function, "name", str) or _not(function, arguments, str)
        if fault is not None:
            return f"of a call, {fault}"
    return None


def _not(fields: dict[str, Any], name: str, kind: type) -> str | None:
    value = fields.get(name)
    if isinstance(value, kind):
        return None
    return f"{name} is a {type(value).__name__}, not a {kind.__name__}"
