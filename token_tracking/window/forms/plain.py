"""Messages as callers hold them (dicts, the SDKs' objects, or both), as plain dicts."""

from collections.abc import Mapping
from typing import Any, Final, cast

from msgspec import to_builtins

from token_tracking.window.blocks import PlainMessage
from token_tracking.window.errors import InvalidConversationError

GIVE: Final = 'give a dict such as {"role": "user", "content": "..."} or an object of the SDK'
"""What an error tells the caller to do."""


def plain_message(message: object, number: int = 0) -> PlainMessage:
    """A message as the API takes it: a copy of its containers, which shares its strings.

    Takes a mapping, or an object with `model_dump`; either may hold such objects anywhere within.
    They are written as the SDK itself sends them (fields that were never set are left out), and
    without fields that are `None`, which not every field may be on the way in. A response of
    Anthropic's becomes its role and content.

    Raises InvalidConversationError, which names the message `number` (from 0) and what to give.
    """
    try:
        plain = _with_lists(plain_value(message))
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidConversationError(f"message {number}: {_reason(error)}; {GIVE}") from error
    fault = _fault(plain)
    if fault:
        raise InvalidConversationError(f"message {number} {fault}; {GIVE}")
    return cast(PlainMessage, plain)


def plain_value(value: Any) -> Any:
    """A JSON value in new containers, copied at the speed of C; raises TypeError for others."""
    return to_builtins(value, enc_hook=_converted)


def _converted(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(cast(Mapping[str, Any], value))
    for kind in (str, int, float):
        if isinstance(value, kind):
            return kind(value)
    if callable(getattr(value, "model_dump", None)) and not isinstance(value, type):
        return _dumped(value)
    raise TypeError(f"{type(value).__name__} is no JSON value")


def _dumped(model: Any) -> dict[str, Any]:
    hidden = getattr(model, "__api_exclude__", None)  # the SDK's parsed output
    dumped = plain_value(
        model.model_dump(
            mode="json", by_alias=True, exclude_unset=True, exclude=hidden, warnings=False
        )
    )
    if not isinstance(dumped, dict):
        raise TypeError(f"{type(model).__name__} is no JSON object")
    fields = _without_none(cast(dict[str, Any], dumped))
    if fields.get("type") == "message" and "role" in fields:
        return {name: fields[name] for name in ("role", "content") if name in fields}
    return fields


def _without_none(fields: dict[str, Any]) -> dict[str, Any]:
    kept = {name: v for name, v in fields.items() if v is not None or name == "content"}
    content = kept.get("content")
    if isinstance(content, list):
        blocks = cast(list[Any], content)
        kept["content"] = [
            _without_none(cast(dict[str, Any], b)) if isinstance(b, dict) else b for b in blocks
        ]
    return kept


def _with_lists(plain: Any) -> Any:
    """What a caller gave as a tuple, where blocks and calls stand."""
    if isinstance(plain, dict):
        fields = cast(dict[str, Any], plain)
        for name in ("content", "tool_calls"):
            if isinstance(fields.get(name), tuple):
                fields[name] = [*fields[name]]
    return cast(Any, plain)


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply, or holds itself"
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _fault(plain: Any) -> str | None:
    if not isinstance(plain, dict):
        return f"is a {type(plain).__name__}"
    message = cast(dict[str, Any], plain)
    role, content = message.get("role"), message.get("content")
    if not isinstance(role, str):
        return "has no role" if role is None else f"has a role that is {_kind(role)}"
    if content is None or isinstance(content, str):
        return None
    if isinstance(content, list):
        return _fault_of_blocks(cast(list[Any], content))
    return f"has content that is {_kind(content)}"


def _fault_of_blocks(blocks: list[Any]) -> str | None:
    for index, block in enumerate(blocks):
        if not isinstance(block, dict):
            return f"has {_kind(block)} at place {index} of its content"
        if not isinstance(block.get("type"), str):  # pyright: ignore[reportUnknownMemberType]
            return f"has no type, as text, at place {index} of its content"
    return None


def _kind(value: object) -> str:
    return f"a value of type {type(value).__name__}"
