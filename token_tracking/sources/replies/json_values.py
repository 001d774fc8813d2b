"""Any JSON of a provider, taken apart without trusting it."""

import json
from collections.abc import Mapping
from typing import Any, cast

import msgspec
from msgspec import MsgspecError


def decoded(data: bytes | msgspec.Raw) -> object:
    """The value; `None` where it is no JSON. Half of an emoji in a text is let through."""
    try:
        return msgspec.json.decode(data)
    except (MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    try:
        # Only this decoder takes lone surrogates, and text that is cut within a character.
        return json.loads(bytes(data).decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None


def mapping(value: object) -> Mapping[str, Any]:
    """An object as it is; an empty one where it is none."""
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else {}


def objects(value: object) -> list[Mapping[str, Any]]:
    """The objects in a list; none where it is no list."""
    items = cast("list[Any]", value) if isinstance(value, list) else []
    return [cast("Mapping[str, Any]", item) for item in items if isinstance(item, dict)]


def text(value: object) -> str | None:
    """A text that any database takes; `None` for what is none or empty."""
    if not isinstance(value, str) or not value:
        return None
    return value.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def size(value: object) -> int:
    """The bytes of a text in UTF-8; 0 for what is none."""
    if not isinstance(value, str):
        return 0
    return len(value) if value.isascii() else len(value.encode("utf-8", "replace"))
