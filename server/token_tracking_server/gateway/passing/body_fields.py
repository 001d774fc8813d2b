"""The few fields of a request's body that say where it goes and who asks."""

import json
import re
from typing import Any, Final, cast

import msgspec
from msgspec import Struct

_LONGEST_NAME: Final = 256
_SESSION: Final = re.compile(r"_session_([0-9A-Fa-f-]{36})\Z")


class BodyFields(Struct, frozen=True):
    """What of the body is looked at. All of it is passed on."""

    model: str | None = None
    is_stream: bool = False
    session_id: str | None = None


class _Fields(Struct):
    model: Any = None
    stream: Any = None
    metadata: Any = None


class _UserId(Struct):
    session_id: Any = None


_DECODER: Final = msgspec.json.Decoder(_Fields)
_USER_ID: Final = msgspec.json.Decoder(_UserId)
_NONE: Final = BodyFields()


def body_fields(body: bytes) -> BodyFields:
    """The fields of a JSON object; of anything else none."""
    if not body:
        return _NONE
    try:
        fields = _fields_of(body)
    except (ValueError, RecursionError):
        return _NONE
    return BodyFields(bounded(fields.model), fields.stream is True, _session_of(fields.metadata))


def _fields_of(body: bytes) -> _Fields:
    """The fields, also where halves of surrogate pairs keep msgspec from reading the rest.

    Raises:
        ValueError: it is no JSON.
    """
    try:
        return _DECODER.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        found: Any = json.loads(body)
        known = cast("dict[str, Any]", found if isinstance(found, dict) else {})
        return _Fields(known.get("model"), known.get("stream"), known.get("metadata"))


def bounded(name: object) -> str | None:
    """A name that may stand in the ledger; `None` for what is none, or is too long for one."""
    if not isinstance(name, str) or not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
        return None
    return name


def _session_of(metadata: object) -> str | None:
    """Claude Code's session in `metadata.user_id`: a JSON object in a string, or before that
    `user_..._account_..._session_UUID`."""
    if not isinstance(metadata, dict):
        return None
    user_id = cast("dict[str, object]", metadata).get("user_id")
    if not isinstance(user_id, str):
        return None
    if user_id.startswith("{"):
        try:
            return bounded(_USER_ID.decode(user_id).session_id)
        except msgspec.MsgspecError:
            return None
    session = _SESSION.search(user_id)
    return session[1] if session else None
