"""Which reader a response wants."""

from collections.abc import Callable
from typing import Final, Protocol

from token_tracking.sources.replies import anthropic_form, openai_form
from token_tracking.sources.replies.anthropic_form import AnthropicEvents
from token_tracking.sources.replies.bodies import (
    Body,
    EncodedBody,
    EventBody,
    FormEvents,
    JsonBody,
    LineBody,
    RetrievedBody,
    SniffedBody,
    UnreadableBody,
)
from token_tracking.sources.replies.encodings import codings_of, decoder_of
from token_tracking.sources.replies.openai_form import OpenAIEvents
from token_tracking.sources.replies.paths import (
    form_of_path,
    is_file,
    is_results,
    is_retrieval,
    parts_of,
)
from token_tracking.sources.replies.values import Form, Reply

_Read = Callable[[object], list[Reply]]

_WHOLE: Final[dict[Form, _Read]] = {
    "anthropic": anthropic_form.whole_replies,
    "openai": openai_form.whole_replies,
}
_BATCH: Final[dict[Form, _Read]] = {
    "anthropic": anthropic_form.batch_replies,
    "openai": openai_form.batch_replies,
}
_EVENTS: Final[dict[Form, Callable[[], FormEvents]]] = {
    "anthropic": AnthropicEvents,
    "openai": OpenAIEvents,
}


class ReplyReader(Protocol):
    """Reads the body of one response while it passes by. It never raises."""

    @property
    def is_over(self) -> bool:
        """Whether the last event of a stream was read (`message_stop`, `[DONE]`,
        `response.completed`): callers may stop there, and not wait for the body's own end."""
        ...

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the body as they came, still encoded."""
        ...

    def finish(self, *, is_complete: bool) -> list[Reply]:
        """What the body told, at its end or where it broke off (`is_complete=False`)."""
        ...


def reader_for(
    form: Form, *, path: str, status: int, content_type: str, content_encoding: str = ""
) -> ReplyReader | None:
    """A reader of such a response; `None` where it holds no usage: of another path, or an error.

    `content_type` and `content_encoding` are the values of these headers, empty where they are
    absent.
    """
    if status // 100 != 2 or form_of_path(path) != form:
        return None
    body = _body(form, parts_of(path), content_type.lower())
    codings = codings_of(content_encoding)
    if not codings:
        return body
    decoder = decoder_of(codings)
    return UnreadableBody(form) if decoder is None else EncodedBody(decoder, body)


def _body(form: Form, parts: list[str], content_type: str) -> Body:
    if is_results(parts) or is_file(parts):
        return LineBody(form, _BATCH[form])
    body = _message_body(form, content_type)
    return RetrievedBody(body) if form == "openai" and is_retrieval(parts) else body


def _message_body(form: Form, content_type: str) -> Body:
    if "event-stream" in content_type:
        return _event_body(form)
    if "json" in content_type:
        return _json_body(form)
    return SniffedBody(lambda: _json_body(form), lambda: _event_body(form))


def _json_body(form: Form) -> Body:
    return JsonBody(form, _WHOLE[form])


def _event_body(form: Form) -> Body:
    return EventBody(form, _EVENTS[form]())
