"""Calls of tools: what they are about, and their arguments without the long ones."""

import json
from collections.abc import Mapping
from typing import Any, Final, cast

from token_tracking.window.blocks import Block
from token_tracking.window.placeholders import subject_of, way_back

LONG_ARGUMENT: Final = 600
"""Characters from which on a string among the arguments of an old call may be cleared."""


def arguments_of(block: Block) -> Mapping[str, Any] | None:
    """The arguments of a call, in either form; `None` where they are no object."""
    raw = cast("Mapping[str, Any]", block.raw)
    given: object = raw.get("input")
    if given is None:
        function: object = raw.get("function")
        text = cast("Mapping[str, Any]", function).get("arguments") if function else None
        given = _decoded(text)
    return cast("Mapping[str, Any]", given) if isinstance(given, dict) else None


def has_long_arguments(block: Block) -> bool:
    """Whether a block is a call of the caller's tools with an argument worth clearing."""
    if block.kind != "tool_use" or len(block.text) < LONG_ARGUMENT:
        return False
    raw = cast("Mapping[str, Any]", block.raw)
    if raw.get("type") not in ("tool_use", "function"):
        return False
    arguments = arguments_of(block)
    return arguments is not None and any(map(_is_long, arguments.values()))


def call_subject(call: Block | None) -> str | None:
    """What a call is about, on one short line."""
    arguments = arguments_of(call) if call is not None else None
    return None if arguments is None else subject_of(arguments)


def cleared_call(block: Block, handle: str | None) -> tuple[Any, str]:
    """The call with a note in the place of each long argument, and its text to be counted."""
    arguments = arguments_of(block) or {}
    kept = {name: _note(name, value, handle) for name, value in arguments.items()}
    raw = cast("dict[str, Any]", block.raw)
    text = json.dumps(kept, ensure_ascii=False)
    if "input" in raw:
        return {**raw, "input": kept}, text
    return {**raw, "function": {**raw["function"], "arguments": text}}, text


def _note(name: str, value: object, handle: str | None) -> object:
    if not _is_long(value):
        return value
    size = len(value) if isinstance(value, str) else len(json.dumps(value, default=str))
    way = f" {way_back(handle)}" if handle else ""  # to call it again might do it again
    return (
        f"[{name} of this finished call, {size:,} characters, cleared later to save context.{way}]"
    )


def _is_long(value: object) -> bool:
    if isinstance(value, str):
        return len(value) >= LONG_ARGUMENT
    if isinstance(value, list | dict):
        return len(json.dumps(value, ensure_ascii=False, default=str)) >= LONG_ARGUMENT
    return False


def _decoded(text: object) -> object:
    try:
        return json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None
