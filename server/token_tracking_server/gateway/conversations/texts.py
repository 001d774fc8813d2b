"""The text of an upstream's answer, whole or as it is written, in either form."""

from typing import Any, Final, cast

from token_tracking.sources.replies.encodings import codings_of, decoder_of
from token_tracking.sources.replies.values import Form
from token_tracking_server.gateway.exchanges import Headers
from token_tracking_server.gateway.managing.assembling.events import DONE, Events, read_object

MOST_BYTES: Final = 64 << 20
"""Of a body: no model writes as much."""


class AnswerText:
    """Takes the bytes of a body as they come, and gives the text in them.

    `text` is all of it so far. `is_whole` says that the answer came to its end; `problem` what the
    upstream said went wrong within it, or why its body cannot be understood.
    """

    def __init__(self, form: Form, headers: Headers) -> None:
        told = {name: value.decode("latin-1") for name, value in headers}
        codings = codings_of(told.get(b"content-encoding", ""))
        self.problem: str | None = None
        self._decoder = decoder_of(codings) if codings else None
        if codings and self._decoder is None:
            self.problem = f"it sent a body coded as {', '.join(codings)}"
        self.is_whole = False
        self._form: Form = form
        is_stream = told.get(b"content-type", "").startswith("text/event-stream")
        self._events = Events() if is_stream else None
        self._body: list[bytes] = []
        self._size = 0
        self._parts: list[str] = []

    @property
    def text(self) -> str:
        """What was read so far."""
        return "".join(self._parts)

    def feed(self, data: bytes) -> str:
        """The text in the next bytes; empty where they complete none."""
        if self.problem is not None:
            return ""
        pieces = (data,) if self._decoder is None else self._decoder.decode(data)
        return "".join([self._take(piece) for piece in pieces])

    def finish(self) -> str:
        """The text in what is left, at the body's end."""
        if self.problem is not None or self._events is not None:
            return ""
        said = read_object(b"".join(self._body))
        if said is None:
            self.problem = "it sent no JSON"
            return ""
        self.is_whole = True
        return self._keep(_ANSWERED[self._form](said))

    def _take(self, plain: bytes) -> str:
        self._size += len(plain)
        if self._size > MOST_BYTES:
            self.problem = "it sent more than any answer has"
            self._body.clear()
        elif self._events is not None:
            return "".join(map(self._event, self._events.feed(plain)))
        else:
            self._body.append(plain)
        return ""

    def _event(self, event: dict[str, Any]) -> str:
        if (error := event.get("error")) is not None:
            self.problem = self.problem or error_text(error)
        if event is DONE or event.get("type") == "message_stop" or _is_last(event):
            self.is_whole = True
        return "" if self.problem else self._keep(_WRITTEN[self._form](event))

    def _keep(self, text: str) -> str:
        if text:
            self._parts.append(text)
        return text


def error_text(error: object) -> str:
    """What an API's `error` says."""
    if isinstance(error, dict):
        fields = cast("dict[str, Any]", error)
        said = [fields.get("type") or fields.get("code"), fields.get("message")]
        return ": ".join(str(each) for each in said if each) or "it named an error without a reason"
    return str(error)


def _is_last(event: dict[str, Any]) -> bool:
    """Some servers of OpenAI's form end without `[DONE]`."""
    choices = _listed(event.get("choices"))
    return bool(choices) and isinstance(_fields(choices[0]).get("finish_reason"), str)


def _fields(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _listed(value: object) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _anthropic_answer(said: dict[str, Any]) -> str:
    blocks = map(_fields, _listed(said.get("content")))
    return "".join(_text(block.get("text")) for block in blocks if block.get("type") == "text")


def _anthropic_delta(event: dict[str, Any]) -> str:
    delta = _fields(event.get("delta"))
    return _text(delta.get("text")) if delta.get("type") == "text_delta" else ""


def _openai_answer(said: dict[str, Any]) -> str:
    return _said(_first_choice(said, "message"))


def _openai_delta(event: dict[str, Any]) -> str:
    return _said(_first_choice(event, "delta"))


def _first_choice(said: dict[str, Any], part: str) -> dict[str, Any]:
    choices = _listed(said.get("choices"))
    return _fields(_fields(choices[0]).get(part)) if choices else {}


def _said(message: dict[str, Any]) -> str:
    """A refusal is what the model says instead of an answer."""
    return _text(message.get("content")) or _text(message.get("refusal"))


_ANSWERED: Final = {"anthropic": _anthropic_answer, "openai": _openai_answer}
_WRITTEN: Final = {"anthropic": _anthropic_delta, "openai": _openai_delta}
