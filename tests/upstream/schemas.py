"""The shape of content blocks: which fields each type must have and may have."""

from typing import Any

from tests.upstream.errors import invalid
from tests.upstream.values import Json, objects

REQUIRED: dict[str, dict[str, type]] = {
    "text": {"text": str},
    "image": {"source": dict},
    "document": {"source": dict},
    "thinking": {"thinking": str, "signature": str},
    "redacted_thinking": {"data": str},
    "tool_use": {"id": str, "name": str, "input": dict},
    "tool_result": {"tool_use_id": str},
    "compaction": {},
}
"""The types that are checked, with their required fields."""

OPTIONAL: dict[str, tuple[str, ...]] = {
    "text": ("citations", "cache_control"),
    "image": ("cache_control",),
    "document": ("title", "context", "citations", "cache_control"),
    "tool_use": ("cache_control", "caller", "toolset_name"),
    "tool_result": ("content", "is_error", "cache_control", "toolset_name"),
    "compaction": ("content", "encrypted_content", "signature", "tool_changes", "cache_control"),
}

OTHERS = (
    "search_result", "server_tool_use", "web_search_tool_result", "web_fetch_tool_result",
    "code_execution_tool_result", "bash_code_execution_tool_result",
    "text_editor_code_execution_tool_result", "tool_search_tool_result", "container_upload",
)  # fmt: skip
"""Types that are taken as they are."""

_WORDS = {str: "string", dict: "dictionary"}


def check_block(where: str, block: Json, *, compacts: bool) -> None:
    """Check one block of a message at `where`. Raises `Refusal` (400)."""
    kind = block.get("type")
    if kind is None:
        raise invalid(f"{where}.type: Field required")
    if kind in OTHERS:
        return
    if kind not in REQUIRED or (kind == "compaction" and not compacts):
        raise invalid(f"{where}: {_unknown_tag(kind, compacts=compacts)}")
    _check_fields(f"{where}.{kind}", block, kind)
    if kind == "tool_result":
        _check_result(f"{where}.tool_result.content", block.get("content"))


def _unknown_tag(kind: Any, *, compacts: bool) -> str:
    known = [name for name in REQUIRED if compacts or name != "compaction"]
    tags = ", ".join(f"'{name}'" for name in (*known, *OTHERS))
    return f"Input tag '{kind}' found using 'type' does not match any of the expected tags: {tags}"


def _check_fields(where: str, block: Json, kind: str) -> None:
    for name, wanted in REQUIRED[kind].items():
        if name not in block:
            raise invalid(f"{where}.{name}: Field required")
        if not isinstance(block[name], wanted):
            raise invalid(f"{where}.{name}: Input should be a valid {_WORDS[wanted]}")
    for name in block:
        if name != "type" and name not in REQUIRED[kind] and name not in OPTIONAL.get(kind, ()):
            raise invalid(f"{where}.{name}: Extra inputs are not permitted")


def _check_result(where: str, content: Any) -> None:
    if content is None or isinstance(content, str):
        return
    if not isinstance(content, list):
        raise invalid(f"{where}: Input should be a valid list")
    for number, part in enumerate(objects(content)):
        if part.get("type") not in ("text", "image", "document", "search_result", "tool_reference"):
            raise invalid(f"{where}.{number}: {_unknown_tag(part.get('type'), compacts=False)}")
        if part["type"] == "text":
            _check_fields(f"{where}.{number}.text", part, "text")
