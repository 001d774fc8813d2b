"""Blocks of transcripts as an API takes them: none empty, each call with an id and a result."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

import msgspec

Fields = dict[str, Any]

NO_RESULT: Final = "[no result in the transcript]"
NO_CONTENT: Final = "[no content in the transcript]"
_THINKING: Final = frozenset({"thinking", "redacted_thinking"})


class Calls:
    """The ids of a chain's calls: gateways number them from the start in every answer, and an id
    may stand only once in a conversation."""

    def __init__(self) -> None:
        self._uses: Counter[str] = Counter()

    def given(self, call_id: str) -> str:
        """An id that no earlier call has."""
        self._uses[call_id] += 1
        uses = self._uses[call_id]
        return call_id if uses == 1 else self.given(f"{call_id}_{uses}")


def answer_blocks(
    blocks: Iterable[Fields], calls: Calls, skipped: Counter[str]
) -> tuple[list[Fields], dict[str, str]]:
    """The blocks of one answer, those of all its lines, each once; and the ids of its calls, as
    they stood and as they are now."""
    kept: list[Fields] = []
    ids: dict[str, str] = {}
    seen: set[bytes] = set()
    for block in blocks:
        encoded = msgspec.json.encode(block)
        if encoded in seen or is_empty(block):
            continue
        seen.add(encoded)
        if block.get("type") != "tool_use":
            kept.append(block)
            continue
        call = block.get("id")
        call_id = call if isinstance(call, str) and call else f"call_{len(kept)}"
        if call_id not in ids:
            ids[call_id] = calls.given(call_id)
            kept.append(_call(block, ids[call_id]))
    if all(block.get("type") in _THINKING for block in kept):
        skipped["answers without content, given a text"] += 1
        kept.append({"type": "text", "text": NO_CONTENT})
    return kept, ids


def _call(block: Fields, call_id: str) -> Fields:
    name, given = block.get("name"), block.get("input")
    return {
        **block,
        "id": call_id,
        "name": name if isinstance(name, str) and name else "unknown",
        "input": cast("Fields", given) if isinstance(given, dict) else {},
    }


def user_blocks(
    calls: dict[str, str],
    gathered: Mapping[str, Fields | None],
    entered: Iterable[Fields],
    skipped: Counter[str],
) -> list[Fields]:
    """A user message: the results of `calls` first, then what else `entered`.

    `calls` maps the ids of the answer before it, as they stood, to those that they have now.
    """
    results = [_result(call, now, gathered.get(call), skipped) for call, now in calls.items()]
    rest: list[Fields] = []
    for block in entered:
        if is_empty(block):
            continue
        if block.get("type") != "tool_result":
            rest.append(block)
        elif block.get("tool_use_id") not in calls:
            skipped["results without their call, made text"] += 1
            rest.append({"type": "text", "text": result_text(block) or NO_CONTENT})
    if not results and not rest:
        skipped["user messages without content, given a text"] += 1
        rest.append({"type": "text", "text": NO_CONTENT})
    return results + rest


def _result(call: str, now: str, result: Fields | None, skipped: Counter[str]) -> Fields:
    if result is None:
        skipped["calls without a result, given an error"] += 1
        return {
            "type": "tool_result",
            "tool_use_id": now,
            "content": NO_RESULT,
            "is_error": True,
        }
    return result if call == now else {**result, "tool_use_id": now}


def result_text(block: Fields) -> str:
    """The text of a tool result."""
    return "\n".join(
        text
        for part in inner_blocks(block)
        if isinstance(text := part.get("text"), str) and text.strip()
    )


def inner_blocks(block: Fields) -> list[Fields]:
    """The blocks inside a tool result."""
    content = block.get("content")
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    parts = cast("list[Any]", content) if isinstance(content, list) else []
    return [cast("Fields", part) for part in parts if isinstance(part, dict)]


def is_empty(block: Fields) -> bool:
    """Whether it is a text that says nothing, which an API refuses."""
    text = block.get("text")
    return block.get("type") == "text" and not (isinstance(text, str) and text.strip())
