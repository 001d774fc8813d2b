"""The endpoints of OpenAI's form: what a request is answered with."""

from collections.abc import Iterator

from starlette.responses import JSONResponse, Response

from tests.upstream.answers import new_id
from tests.upstream.completions.answers import CREATED, completion_of
from tests.upstream.completions.dialects import Dialect, dialect_of
from tests.upstream.completions.errors import CompletionRefusal
from tests.upstream.completions.events import DONE, chunks_of, encoded
from tests.upstream.completions.responses import encoded as encoded_event
from tests.upstream.completions.responses import events_of, response_of
from tests.upstream.received import Received
from tests.upstream.scripts import Answer, Failure, Script
from tests.upstream.sending import stream
from tests.upstream.values import Json

MODELS = ("gpt-4o-mini", "gpt-5.4", "gemini-3.5-flash", "llama-3.3-70b-versatile", "local")
"""Those that are listed; any name is answered, but `nonexistent`."""


class Completions:
    """Chat completions and responses, without their transport.

    `takes_stream_options` may be turned off, as with older servers: they refuse the option.
    """

    def __init__(self) -> None:
        self.takes_stream_options = True

    def create(self, received: Received, script: Script) -> tuple[Answer, Json]:
        """The step, and the completion that is made of it. Raises `Refusal`."""
        dialect = dialect_of(received.path)
        request = self._checked(received, dialect, "messages")
        answer = _answer(received, script, dialect)
        whole = completion_of(request, answer, dialect)
        received.usage, received.message_id = whole["usage"], whole["id"]
        return answer, whole

    def respond(self, received: Received, script: Script) -> tuple[Answer, Json]:
        """The same of `/responses`. Raises `Refusal`."""
        request = self._checked(received, "openai", "input")
        answer = _answer(received, script, "openai")
        whole = response_of(request, answer)
        received.usage, received.message_id = whole["usage"], whole["id"]
        return answer, whole

    def _checked(self, received: Received, dialect: Dialect, field: str) -> Json:
        request = received.json
        model = request.get("model")
        if not isinstance(model, str):
            raise CompletionRefusal(400, "you must provide a model parameter", dialect=dialect)
        if model == "nonexistent":
            message = f"The model `{model}` does not exist or you do not have access to it."
            raise CompletionRefusal(404, message, dialect=dialect)
        if not request.get(field):
            message = f"Missing required parameter: '{field}'."
            raise CompletionRefusal(400, message, dialect=dialect, param=field)
        if "stream_options" in request:
            self._check_options(request, dialect)
        return request

    def _check_options(self, request: Json, dialect: Dialect) -> None:
        name = "stream_options"
        if not self.takes_stream_options:
            message = f"Unrecognized request argument supplied: {name}"
            raise CompletionRefusal(400, message, dialect=dialect, param=name)
        if not request.get("stream") and request[name] is not None:
            message = f"The '{name}' parameter is only allowed when 'stream' is enabled."
            raise CompletionRefusal(400, message, dialect=dialect, param=name)


def _answer(received: Received, script: Script, dialect: Dialect) -> Answer:
    turn = script.next(received)
    if isinstance(turn, Failure):
        raise CompletionRefusal(turn.status, turn.message, turn.all_headers, dialect=dialect)
    return turn


def _broken(dialect: Dialect) -> bytes:
    return encoded({"error": CompletionRefusal(500, dialect=dialect).error()})


def _until(events: Iterator[bytes], breaks_after: int | None, failure: bytes) -> Iterator[bytes]:
    for number, event in enumerate(events):
        if number == breaks_after:
            yield failure
            return
        yield event


def completion_response(
    received: Received, answer: Answer, whole: Json, *, compressed: bool
) -> Response:
    """A completion as it was asked for: as a whole, or as a stream that `DONE` ends."""
    request, dialect = received.json, dialect_of(received.path)
    if not request.get("stream"):
        return JSONResponse(whole, headers=dict(answer.headers))
    options: Json = request.get("stream_options") or {}
    chunks = chunks_of(whole, dialect, tells_usage=bool(options.get("include_usage")))
    events = iter([*map(encoded, chunks), DONE])
    events = _until(events, answer.breaks_after, _broken(dialect))
    return stream(events, answer, received, compressed=compressed)


def response_response(
    received: Received, answer: Answer, whole: Json, *, compressed: bool
) -> Response:
    """A response of `/responses` as it was asked for."""
    if not received.json.get("stream"):
        return JSONResponse(whole, headers=dict(answer.headers))
    failure = encoded_event({"type": "error", "code": "server_error", "message": "It failed."})
    events = _until(map(encoded_event, events_of(whole)), answer.breaks_after, failure)
    return stream(events, answer, received, compressed=compressed)


def batch_output(received: Received, script: Script) -> bytes:
    """A batch's output file: a line for each step that the script still has, two at most."""
    request: Json = {"model": MODELS[0], "messages": [{"role": "user", "content": "Hello there."}]}
    lines: list[bytes] = []
    for number in range(2):
        body = completion_of(request, _answer(received, script, "openai"), "openai")
        response = {"status_code": 200, "request_id": new_id("req"), "body": body}
        line: Json = {"id": new_id("batch_req"), "custom_id": str(number), "response": response}
        lines.append(encoded({**line, "error": None}).removeprefix(b"data: ").strip())
    return b"\n".join(lines) + b"\n"


def models_page() -> Json:
    """The models, as OpenAI lists them."""
    return {"object": "list", "data": [card(name) for name in MODELS]}


def card(name: str) -> Json:
    """One model. Raises `Refusal` (404)."""
    if name not in MODELS:
        raise CompletionRefusal(404, f"The model '{name}' does not exist", param="model")
    return {"id": name, "object": "model", "created": CREATED, "owned_by": "system"}


def embeddings(received: Received) -> Json:
    """One vector that means nothing; there is no id in such an answer."""
    vector = {"object": "embedding", "index": 0, "embedding": [0.0, 1.0]}
    usage = {"prompt_tokens": 3, "total_tokens": 3}
    model = received.json["model"]
    return {"object": "list", "data": [vector], "model": model, "usage": usage}
