"""The callers' cache breakpoints in a session: those of earlier turns are not sent again."""

from typing import Any, Final, cast

from token_tracking.window.breakpoints import MOST

_MARK: Final = "cache_control"


def unmarked(value: Any) -> Any:
    """Messages, a system prompt or tools without breakpoints; also those in results of tools. What
    a call passes on may hold anything, and stays."""
    if isinstance(value, list):
        return [unmarked(each) for each in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    fields = cast("dict[str, Any]", value)
    found = {name: fields[name] for name in fields if name != _MARK}
    if isinstance(found.get("content"), list):
        found["content"] = unmarked(found["content"])
    return found


def with_room(parts: list[tuple[Any, bool]], others: int) -> list[Any]:
    """The parts of a request in the order of its prompt, each with whether this request gave it.
    Where their breakpoints and `others` are more than Anthropic takes, those that earlier requests
    gave have none, the first ones first; what is then still too much is the caller's own."""
    found = [value for value, _ in parts]
    for place, (value, is_given) in enumerate(parts):
        if sum(map(_count, found)) + others > MOST and not is_given:
            found[place] = unmarked(value)
    return found


def _count(value: Any) -> int:
    """The breakpoints in messages, a system prompt or tools."""
    if isinstance(value, list):
        return sum(map(_count, cast("list[Any]", value)))
    if not isinstance(value, dict):
        return 0
    fields = cast("dict[str, Any]", value)
    inner: object = fields.get("content")
    return bool(fields.get(_MARK)) + (_count(inner) if isinstance(inner, list) else 0)
