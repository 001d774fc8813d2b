"""Context editing and compaction on the server's side.

Nothing is remembered between requests: each is edited anew from what it holds (the API's pages on
context editing and on compaction).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.upstream.errors import invalid
from tests.upstream.prompts import prompt_tokens
from tests.upstream.values import Json, blocks, objects

CLEAR = "clear_tool_uses_20250919"
COMPACT = "compact_20260112"
CLEAR_THINKING = "clear_thinking_20251015"
CLEAR_BETA = "context-management-2025-06-27"
COMPACT_BETA = "compact-2026-01-12"
BETAS = {CLEAR: CLEAR_BETA, COMPACT: COMPACT_BETA}

CLEAR_TRIGGER = 100_000
KEEP_TOOL_USES = 3
COMPACT_TRIGGER = 150_000
MIN_COMPACT_TRIGGER = 50_000
"""The documented defaults, and the least that is allowed, in prompt tokens."""

CLEARED = "[tool result cleared]"
"""What stands in a cleared result's place. The API does not publish its own text."""


@dataclass(frozen=True)
class Edited:
    """A request after its edits, what they did, and the compaction that is due."""

    request: Json
    original_tokens: int
    applied: list[Json] = field(default_factory=list[Json])
    compaction: Json | None = None


def edits_of(request: Json) -> list[Json]:
    """The edits that a request asks for."""
    management: Json = request.get("context_management") or {}
    return objects(management.get("edits"))


def check_edits(request: Json, betas: set[str], *, compacts: bool) -> None:
    """Check the edits and the betas they need. Raises `Refusal` (400)."""
    if request.get("context_management") is None:
        return
    if not betas & set(BETAS.values()):
        raise invalid("context_management: Extra inputs are not permitted")
    known = [name for name, beta in BETAS.items() if beta in betas]
    known += [CLEAR_THINKING] if CLEAR_BETA in betas else []
    for number, edit in enumerate(edits_of(request)):
        where = f"context_management.edits.{number}"
        if edit.get("type") not in known:
            tags = ", ".join(f"'{name}'" for name in known)
            raise invalid(
                f"{where}: Input tag '{edit.get('type')}' found using 'type' does not match any "
                f"of the expected tags: {tags}"
            )
        if edit["type"] == CLEAR_THINKING and edit.get("keep") != "all":
            raise invalid(f"{where}: this server only knows how to keep all thinking")
        if edit["type"] == COMPACT:
            _check_compaction(where, request, edit, compacts=compacts)


def _check_compaction(where: str, request: Json, edit: Json, *, compacts: bool) -> None:
    if not compacts:
        raise invalid(f"{where}: {COMPACT} is not supported by {request['model']}")
    if _value(edit, "trigger", COMPACT_TRIGGER) < MIN_COMPACT_TRIGGER:
        raise invalid(f"{where}.{COMPACT}: trigger.value must be at least {MIN_COMPACT_TRIGGER}")


def _value(edit: Json, name: str, default: int) -> int:
    given: Json | None = edit.get(name)
    return given["value"] if given else default


def edited(request: Json) -> Edited:
    """Apply what a request asks for. What precedes its last compaction block is dropped always."""
    current = since_compaction(request)
    tokens = prompt_tokens(current)
    applied: list[Json] = []
    compaction: Json | None = None
    for edit in edits_of(request):
        if edit["type"] == CLEAR:
            current, done = _cleared(current, edit)
            applied += done
        elif edit["type"] == CLEAR_THINKING:
            continue  # "keep": "all", as Claude Code asks: nothing is cleared
        elif prompt_tokens(current) >= _value(edit, "trigger", COMPACT_TRIGGER):
            compaction = edit
    return Edited(current, tokens, applied, compaction)


def since_compaction(request: Json) -> Json:
    """The request from its last compaction block on; a block without a summary is none."""
    messages = objects(request.get("messages"))
    for number in range(len(messages) - 1, -1, -1):
        content = blocks(messages[number]["content"])
        places = [n for n, block in enumerate(content) if _summary(block)]
        if places:
            first = {**messages[number], "content": content[places[-1] :]}
            return {**request, "messages": [first, *messages[number + 1 :]]}
    return request


def _summary(block: Json) -> str | None:
    return block.get("content") if block.get("type") == "compaction" else None


def compacted(request: Json, summary: str) -> Json:
    """The request with nothing but a summary for its messages."""
    content = [{"type": "compaction", "content": summary}]
    return {**request, "messages": [{"role": "assistant", "content": content}]}


def _cleared(request: Json, edit: Json) -> tuple[Json, list[Json]]:
    before = prompt_tokens(request)
    uses = [
        block
        for message in objects(request["messages"])
        for block in blocks(message["content"])
        if block["type"] == "tool_use"
    ]
    if not _triggered(edit, before, len(uses)):
        return request, []
    chosen = _chosen(edit, uses)
    after = {**request, "messages": _without(objects(request["messages"]), chosen, edit)}
    saved = before - prompt_tokens(after)
    if not chosen or saved < max(_value(edit, "clear_at_least", 0), 1):
        return request, []
    done = {"type": CLEAR, "cleared_tool_uses": len(chosen), "cleared_input_tokens": saved}
    return after, [done]


def _triggered(edit: Json, tokens: int, uses: int) -> bool:
    trigger: Json = edit.get("trigger") or {"type": "input_tokens", "value": CLEAR_TRIGGER}
    return (uses if trigger["type"] == "tool_uses" else tokens) > trigger["value"]


def _chosen(edit: Json, uses: Sequence[Json]) -> set[str]:
    """The calls to clear: all but the last ones and those of excluded tools."""
    keep = _value(edit, "keep", KEEP_TOOL_USES)
    excluded: Sequence[str] = edit.get("exclude_tools") or ()
    old = uses[: max(len(uses) - keep, 0)]
    return {call["id"] for call in old if call["name"] not in excluded}


def _without(messages: Sequence[Json], chosen: set[str], edit: Json) -> list[Json]:
    inputs: Any = edit.get("clear_tool_inputs") or ()

    def edit_block(block: Json) -> Json:
        if block["type"] == "tool_result" and block["tool_use_id"] in chosen:
            return {**block, "content": CLEARED}
        called = block["type"] == "tool_use" and block["id"] in chosen
        if called and (inputs is True or block["name"] in inputs):
            return {**block, "input": {}}
        return block

    return [
        message
        if isinstance(message["content"], str)
        else {**message, "content": [edit_block(block) for block in blocks(message["content"])]}
        for message in messages
    ]
