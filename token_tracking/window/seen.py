"""Notices what has changed in messages that belong to the caller, at the speed of C."""

from typing import Any, cast

from token_tracking.window.blocks import PlainMessage


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


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _copied(v) for name, v in cast(dict[str, Any], value).items()}
    if isinstance(value, list):
        return [_copied(v) for v in cast(list[Any], value)]
    if isinstance(value, tuple):
        return tuple(_copied(v) for v in cast(tuple[Any, ...], value))
    return SeenObject(value) if hasattr(value, "model_dump") else value
