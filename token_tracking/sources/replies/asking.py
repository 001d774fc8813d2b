"""Asking a streamed chat completion for its usage, which it tells only to who asks."""

from typing import Final

import msgspec
from msgspec import UNSET, MsgspecError, Raw, Struct, UnsetType

from token_tracking.sources.replies.json_values import decoded
from token_tracking.sources.replies.members import members

_OPTIONS: Final = b'"stream_options":{"include_usage":true}'

REFUSALS: Final = frozenset({400, 422})
"""The statuses of a server that does not know an option. Its body says which."""

_NAMES: Final = (b"stream_options", b"include_usage")


class _Asked(Struct, gc=False):
    stream: bool | None = None
    stream_options: Raw | UnsetType = UNSET


_decode = msgspec.json.Decoder(_Asked).decode


def ask_for_usage(body: bytes) -> bytes | None:
    """The body of a streamed chat completion with `stream_options.include_usage`, changed as
    little as possible; `None` where it asks already, is not streamed, or is no such JSON object.
    """
    try:
        asked = _decode(body)
    except (MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if asked.stream is not True:
        return None
    if asked.stream_options is UNSET:
        end = body.rindex(b"}")
        return body[:end] + b"," + _OPTIONS + body[end:]
    return _with_options(body, asked.stream_options)


def _with_options(body: bytes, given: Raw) -> bytes | None:
    options = decoded(given)
    if options is None:
        options = {}
    if not isinstance(options, dict) or options.get("include_usage") is True:  # pyright: ignore[reportUnknownMemberType]
        return None
    changed = msgspec.json.encode({**options, "include_usage": True})
    # Of members with one name the last one holds.
    last = [member for member in members(body) if member.name == "stream_options"][-1]
    return body[: last.value] + changed + body[last.end :]


def refuses_usage(status: int, body: bytes) -> bool:
    """Whether an answer refuses the option that `ask_for_usage` added: then ask without it."""
    return status in REFUSALS and any(name in body for name in _NAMES)
