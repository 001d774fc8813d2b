"""Asking a streamed chat completion for its usage, which it tells only to who asks."""

import time
from collections.abc import Callable
from typing import Final

import msgspec
from msgspec import UNSET, MsgspecError, Raw, Struct, UnsetType

from token_tracking.sources.replies.json_values import decoded
from token_tracking.sources.replies.members import members

_OPTIONS: Final = b'"stream_options":{"include_usage":true}'

REFUSALS: Final = frozenset({400, 422})
"""The statuses of a server that does not know an option. Its body says which."""

_REFUSED_FOR: Final = 3600.0
"""Seconds: servers are updated, and a name may come to stand for another one."""

_MOST_REFUSING: Final = 1000
"""Names of models come from callers: they must not fill the memory."""

_NAMES: Final = (b"stream_options", b"include_usage")


class Refusals:
    """Which servers do not let themselves be asked, by model: behind one server there may be
    others. It is believed only where the same request was answered once it did not ask, and for
    an hour; a caller's own mistake may name the option, too."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: dict[tuple[str, str | None], float] = {}

    def holds(self, server: str, model: str | None) -> bool:
        """Whether it need not be asked."""
        until = self._until.get((server, model))
        return until is not None and self._clock() < until

    def learn(self, server: str, model: str | None, status: int) -> None:
        """From the status of its answer to a request that was refused with the option, and went
        without."""
        if status // 100 != 2:
            return
        self._until.pop((server, model), None)
        if len(self._until) >= _MOST_REFUSING:
            del self._until[next(iter(self._until))]
        self._until[server, model] = self._clock() + _REFUSED_FOR


class _Named(Struct, gc=False):
    model: str | None = None


_decode_named = msgspec.json.Decoder(_Named).decode


def model_of(body: bytes) -> str | None:
    """The model that a request names."""
    try:
        return _decode_named(body).model
    except (MsgspecError, UnicodeDecodeError, RecursionError):
        return None


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
    """Whether an answer may refuse the option that `ask_for_usage` added: ask without it then.
    What `Refusals` learn is up to how that is answered."""
    return status in REFUSALS and any(name in body for name in _NAMES)
