"""The server's one state, and its application."""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.upstream.answers import new_id
from tests.upstream.anthropic_form import AnthropicForm
from tests.upstream.completions.form import OpenAIForm
from tests.upstream.errors import Refusal
from tests.upstream.forms import Form, Handle, State
from tests.upstream.gates import Gate
from tests.upstream.received import Received
from tests.upstream.scripts import Script, Source, greeting
from tests.upstream.sending import compress, takes_gzip

Endpoint = Callable[[Request], Awaitable[Response]]
MEGABYTE = 1_048_576


class Clock:
    """Seconds since 1970 that pass only when a test says so."""

    def __init__(self, start: float = 1_800_000_000.0) -> None:
        self.now = start

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


class Upstream:
    """What tests hold of the server.

    `requests` are those it received, refused ones among them; `keys` the API keys it takes (None:
    any); `faults` what went wrong in a script, which the end of `served` raises. `anthropic` and
    `openai` are the forms that it speaks, each with settings of its own.
    """

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        self.clock = Clock()
        self.base_url = ""
        self.requests: list[Received] = []
        self.faults: list[Exception] = []
        self.keys: set[str] | None = None
        self.max_bytes = 32 * MEGABYTE
        self._state = State(Script(greeting))
        self.anthropic = AnthropicForm(self._state, clock or self.clock)
        self.openai = OpenAIForm(self._state)
        self.models = self.anthropic.models
        self.cache = self.anthropic.cache
        self.allowance = self.anthropic.allowance
        self.messages = self.anthropic.messages

    def script(self, source: Source) -> None:
        """Say what the model answers from now on: steps one after another, or a function."""
        self._state.script = Script(source)

    @property
    def compresses(self) -> bool:
        """Whether answers are sent as gzip to whoever takes it; settable, off at first."""
        return self._state.compresses

    @compresses.setter
    def compresses(self, value: bool) -> None:
        self._state.compresses = value

    def app(self) -> Starlette:
        """The application."""
        routes = [
            Route(path, self._endpoint(handle, form), methods=[method])
            for form in (self.anthropic, self.openai)
            for (method, path), handle in form.routes.items()
        ]
        routes += [
            Route("/v1/models", self._endpoint(self._list_models)),
            Route("/v1/models/{name}", self._endpoint(self._model)),
        ]
        return Starlette(routes=routes, exception_handlers={HTTPException: self._no_route})

    def _form(self, received: Received) -> Form:
        return (
            self.anthropic
            if received.path.startswith("/v1/messages") or ("anthropic-version" in received.headers)
            else self.openai
        )

    def _endpoint(self, handle: Handle, form: Form | None = None) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            received = await self._receive(request)
            of = form or self._form(received)
            response = self._answered(received, of, handle)
            for gate in received.gates:
                if gate.before is None:
                    await _passed(gate, request, received)
            return self._sent(received, of, response)

        return endpoint

    def _answered(self, received: Received, form: Form, handle: Handle) -> Response:
        try:
            form.check_sender(received, self.keys)
            self._check_size(received)
            return handle(received)
        except Refusal as refusal:
            return _refused(received, form, refusal)
        except Exception as fault:  # noqa: BLE001 (the outermost edge: `served` raises it)
            self.faults.append(fault)
            return _refused(received, form, Refusal(500))

    def _check_size(self, received: Received) -> None:
        if len(received.body) > self.max_bytes:
            raise Refusal(413)

    async def _receive(self, request: Request) -> Received:
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = await request.body()
        path, query = request.url.path, request.url.query
        received = Received(request.method, path, query, headers, body, new_id("req"))
        received.raw_headers = list(request.headers.raw)
        self.requests.append(received)
        return received

    def _sent(self, received: Received, form: Form, response: Response) -> Response:
        received.status = response.status_code
        for name, value in form.headers(received).items():
            response.headers.setdefault(name, value)
        if isinstance(response, StreamingResponse):
            return response
        if self.compresses and takes_gzip(received):
            compress(response)
        received.is_whole = not received.ended.is_set()
        received.ended.set()
        return response

    def _list_models(self, received: Received) -> Response:
        return JSONResponse(self._form(received).list_models(received))

    def _model(self, received: Received) -> Response:
        return JSONResponse(self._form(received).model(received))

    async def _no_route(self, request: Request, error: Exception) -> Response:
        received = await self._receive(request)
        form = self._form(received)
        status = error.status_code if isinstance(error, HTTPException) else 500
        refusal = Refusal(status, HTTPStatus(status).phrase)
        return self._sent(received, form, _refused(received, form, refusal))


def _refused(received: Received, form: Form, refusal: Refusal) -> Response:
    status, body = form.refused(received, refusal)
    return JSONResponse(body, status_code=status, headers=refusal.headers)


async def _passed(gate: Gate, request: Request, received: Received) -> None:
    """Wait before the headers, for as long as the caller does."""
    opened = asyncio.ensure_future(gate.passed())
    left = asyncio.ensure_future(_left(request))
    done, waiting = await asyncio.wait({opened, left}, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
    if left in done:
        received.message_id = None
        received.ended.set()
    else:
        opened.result()


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
