"""Bodies of chat requests: the conversation taken out, and put back with all else as it came."""

import json
from typing import Any, Final, Self, cast

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from token_tracking.sources.replies.values import Form
from token_tracking_server.gateway.exchanges import Ask

CHAT_PATHS: Final[dict[Form, str]] = {
    "anthropic": "/v1/messages",
    "openai": "/v1/chat/completions",
}
"""Where each form takes conversations."""

_FIELDS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_CONVERSATION: Final = ("system", "messages", "tools")
_THREAD: Final = "thread"
"""Names a conversation that the API holds: the messages of the request are only what is new."""


class ChatBody(Struct, frozen=True, kw_only=True):
    """A request's body by its fields. `system` is Anthropic's; OpenAI's stands in the messages."""

    form: Form
    fields: dict[str, msgspec.Raw]
    messages: list[Any]
    system: Any = None
    tools: Any = None

    @classmethod
    def read(cls, form: Form, data: bytes) -> Self | None:
        """The body; `None` where it is none that holds a conversation."""
        try:
            fields = _fields_of(data)
            given = [name for name in _CONVERSATION if name in fields]
            found = {name: _decoded(fields[name]) for name in given}
        except (ValueError, RecursionError):
            return None
        messages: object = found.get("messages")
        if not isinstance(messages, list) or _THREAD in fields:
            return None
        system = found.get("system") if form == "anthropic" else None
        return cls(
            form=form,
            fields=fields,
            messages=cast("list[Any]", messages),
            system=system,
            tools=found.get("tools"),
        )

    def value(self, name: str) -> Any:
        """A field's value; `None` where it is not there."""
        return _decoded(self.fields[name]) if name in self.fields else None

    def written(self, changed: dict[str, Any], *, without: tuple[str, ...] = ()) -> bytes:
        """The body with other values of some fields, each in its place; new ones come last, and
        those that are `None` are left out. All else is byte for byte as it came."""
        raws: dict[str, Any] = {k: raw for k, raw in self.fields.items() if k not in without}
        for name, value in changed.items():
            if value is None:
                raws.pop(name, None)
            else:
                raws[name] = msgspec.Raw(_encoded(value))
        return msgspec.json.encode(raws)


def _fields_of(data: bytes) -> dict[str, msgspec.Raw]:
    """The fields as they came; written anew where halves of surrogate pairs, which tools do return,
    keep msgspec from reading them.

    Raises:
        ValueError: it is no JSON object.
    """
    try:
        return _FIELDS.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        found: Any = json.loads(data)
        if not isinstance(found, dict):
            raise
        fields = cast("dict[str, Any]", found)
        return {name: msgspec.Raw(_encoded(value)) for name, value in fields.items()}


def with_body(ask: Ask, body: bytes) -> Ask:
    """The request with another body; whoever sends it knows its length."""
    headers = [header for header in ask.headers if header[0] != b"content-length"]
    return replace(ask, body=body, headers=headers)


def read_plainly(ask: Ask) -> Ask:
    """The request, its response to come uncompressed: it is read here."""
    headers = [header for header in ask.headers if header[0] != b"accept-encoding"]
    return replace(ask, headers=[*headers, (b"accept-encoding", b"identity")])


def _decoded(raw: msgspec.Raw) -> Any:
    try:
        return msgspec.json.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError):  # halves of surrogate pairs
        return json.loads(bytes(raw))


def _encoded(value: Any) -> bytes:
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:  # halves of surrogate pairs
        return json.dumps(value, separators=(",", ":")).encode()
