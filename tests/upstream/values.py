"""JSON values, taken apart with types."""

from typing import Any, cast

Json = dict[str, Any]


def objects(value: Any) -> list[Json]:
    """The list of objects that this is; an empty one where it is none."""
    if not isinstance(value, list):
        return []
    return [cast("Json", each) for each in cast("list[Any]", value) if isinstance(each, dict)]


def blocks(content: Any) -> list[Json]:
    """A message's content as blocks: a string is short for one block of text."""
    return [{"type": "text", "text": content}] if isinstance(content, str) else objects(content)
