"""The server's one state, and its application."""

from collections.abc import Callable
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.upstream.allowances import Allowance
from tests.upstream.answers import new_id
from tests.upstream.caching import Cache
from tests.upstream.errors import Refusal
from tests.upstream.events import stream_of
from tests.upstream.messages import Messages
from tests.upstream.models import Catalog
from tests.upstream.received import Received
from tests.upstream.scripts import Script, Source, greeting
from tests.upstream.versions import check_version

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
    any); `faults` what went wrong in a script, which the end of `served` raises.
    """

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        self.clock = Clock()
        now = clock or self.clock
        self.base_url = ""
        self.requests: list[Received] = []
        self.faults: list[Exception] = []
        self.keys: set[str] | None = None
        self.max_bytes = 32 * MEGABYTE
        self.models = Catalog()
        self.cache = Cache(now)
        self.allowance = Allowance(now)
        self.messages = Messages(self.models, self.cache)
        self._script = Script(greeting)

    def script(self, source: Source) -> None:
        """Say what the model answers from now on: steps one after another, or a function."""
        self._script = Script(source)

    def app(self) -> Starlette:
        """The application."""
        post = ["POST"]
        routes = [
            Route("/v1/messages", self._endpoint(self._create), methods=post),
            Route("/v1/messages/count_tokens", self._endpoint(self._count), methods=post),
            Route("/v1/models", self._endpoint(self._list_models)),
            Route("/v1/models/{name}", self._endpoint(self._model)),
        ]
        return Starlette(routes=routes, exception_handlers={HTTPException: self._no_route})

    def _endpoint(self, handle: Callable[[Received], Response]) -> Callable[[Request], object]:
        async def endpoint(request: Request) -> Response:
            received = await self._receive(request)
            try:
                self._check_sender(received)
                response = handle(received)
            except Refusal as refusal:
                response = _refused(received, refusal)
            except Exception as fault:  # noqa: BLE001 (the outermost edge: `served` raises it)
                self.faults.append(fault)
                response = _refused(received, Refusal(500))
            return self._sent(received, response)

        return endpoint

    async def _receive(self, request: Request) -> Received:
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = await request.body()
        url = request.url
        received = Received(request.method, url.path, url.query, headers, body, new_id("req"))
        self.requests.append(received)
        return received

    def _check_sender(self, received: Received) -> None:
        bearer = received.headers.get("authorization", "").removeprefix("Bearer ")
        key = received.headers.get("x-api-key") or bearer
        if not key:
            raise Refusal(401, "x-api-key header is required")
        if self.keys is not None and key not in self.keys:
            raise Refusal(401)
        check_version(received.headers.get("anthropic-version"))
        if len(received.body) > self.max_bytes:
            raise Refusal(413)

    def _sent(self, received: Received, response: Response) -> Response:
        received.status = response.status_code
        told = self.allowance.headers() | {"request-id": received.id}
        for name, value in told.items():
            response.headers.setdefault(name, value)
        return response

    def _create(self, received: Received) -> Response:
        message, answer = self.messages.create(received, self._script)
        self.allowance.take(received.billed, message["usage"]["output_tokens"])
        headers = dict(answer.headers)
        if not received.json.get("stream"):
            return JSONResponse(message, headers=headers)
        stream = stream_of(message, answer.breaks_after)
        return StreamingResponse(stream, headers=headers, media_type="text/event-stream")

    def _count(self, received: Received) -> Response:
        return JSONResponse(self.messages.count(received))

    def _list_models(self, _received: Received) -> Response:
        return JSONResponse(self.models.page())

    def _model(self, received: Received) -> Response:
        return JSONResponse(self.models.get(received.path.rpartition("/")[2]).card())

    async def _no_route(self, request: Request, error: Exception) -> Response:
        received = await self._receive(request)
        status = error.status_code if isinstance(error, HTTPException) else 500
        return self._sent(received, _refused(received, Refusal(status, HTTPStatus(status).phrase)))


def _refused(received: Received, refusal: Refusal) -> Response:
    body = refusal.body(received.id)
    return JSONResponse(body, status_code=refusal.status, headers=refusal.headers)
