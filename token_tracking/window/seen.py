"""Notices what has changed in messages that belong to the caller, at the speed of C."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, cast

from token_tracking.window.blocks import PlainMessage

_LEAST: Final = 10
"""Characters that any value counts for, so that many small ones are long as well."""


class SeenObject:
    """Equals one object of an SDK, by identity, for as long as its fields are what they were."""

    __slots__ = ("_extra", "_fields", "_source")
    __hash__ = None  # pyright: ignore[reportAssignmentType]

    def __init__(self, source: Any) -> None:
        self._source = source
        self._fields = _copied(getattr(source, "__dict__", {}))
        self._extra = _copied(getattr(source, "__pydantic_extra__", None))

    def __eq__(self, other: object) -> bool:
        return (
            self._source is other
            and self._fields == getattr(other, "__dict__", {})
            and self._extra == getattr(other, "__pydantic_extra__", None)
        )


def seen(message: object, plain: PlainMessage) -> object:
    """Something that equals the message (`seen(...) == message`) until it changes.

    That is its plain copy where the message is made of dicts, so that nothing is kept twice.
    """
    return plain if plain == message else _copied(message)


def is_long(values: Iterable[object], characters: int) -> bool:
    """Whether so many characters or more stand in texts within some values, at any depth; it looks
    no further than it has to."""
    left, waiting = characters, list(values)
    while waiting and left > 0:
        value = waiting.pop()
        left -= len(value) if isinstance(value, str | bytes) else _LEAST
        if isinstance(value, Mapping):
            waiting.extend(cast("Mapping[str, object]", value).values())
        elif isinstance(value, list | tuple):
            waiting.extend(cast("Sequence[object]", value))
        elif hasattr(value, "model_dump"):
            waiting.extend(getattr(value, "__dict__", {}).values())
    return left <= 0


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _copied(v) for name, v in cast(dict[str, Any], value).items()}
    if isinstance(value, list):
        return [_copied(v) for v in cast(list[Any], value)]
    if isinstance(value, tuple):
        return tuple(_copied(v) for v in cast(tuple[Any, ...], value))
    return SeenObject(value) if hasattr(value, "model_dump") else value
