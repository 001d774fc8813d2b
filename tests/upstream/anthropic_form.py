"""Anthropic's API: its endpoints, keys and headers."""

from collections.abc import Callable, Mapping
from typing import Any

from starlette.responses import JSONResponse, Response

from tests.upstream.allowances import Allowance
from tests.upstream.batches import Batches
from tests.upstream.caching import Cache
from tests.upstream.errors import Refusal
from tests.upstream.events import stream_of
from tests.upstream.forms import Handle, State
from tests.upstream.messages import Messages
from tests.upstream.models import Catalog
from tests.upstream.received import Received
from tests.upstream.sending import stream, takes_gzip
from tests.upstream.values import Json
from tests.upstream.versions import check_version


class AnthropicForm:
    """Messages, counts, batches and models."""

    def __init__(self, state: State, clock: Callable[[], float]) -> None:
        self.models = Catalog()
        self.cache = Cache(clock)
        self.allowance = Allowance(clock)
        self.messages = Messages(self.models, self.cache)
        self.batches = Batches(lambda received: self.messages.create(received, state.script)[0])
        self._state = state

    @property
    def routes(self) -> Mapping[tuple[str, str], Handle]:
        """The handlers by method and path."""
        batches = "/v1/messages/batches"
        return {
            ("POST", "/v1/messages"): self._create,
            ("POST", "/v1/messages/count_tokens"): self._count,
            ("POST", batches): lambda received: JSONResponse(self.batches.create(received)),
            ("GET", f"{batches}/{{name}}"): self._batch,
            ("GET", f"{batches}/{{name}}/results"): self._results,
        }

    def check_sender(self, received: Received, keys: set[str] | None) -> None:
        """Check key and version. Raises `Refusal`."""
        bearer = received.headers.get("authorization", "").removeprefix("Bearer ")
        key = received.headers.get("x-api-key") or bearer
        if not key:
            raise Refusal(401, "x-api-key header is required")
        if keys is not None and key not in keys:
            raise Refusal(401)
        check_version(received.headers.get("anthropic-version"))

    def refused(self, received: Received, refusal: Refusal) -> tuple[int, Any]:
        """Status and body of a refusal."""
        return refusal.status, refusal.body(received.id)

    def headers(self, received: Received) -> Mapping[str, str]:
        """The limits and the request's id."""
        return self.allowance.headers() | {"request-id": received.id}

    def list_models(self, received: Received) -> Json:
        """`GET /v1/models`."""
        return self.models.page()

    def model(self, received: Received) -> Json:
        """`GET /v1/models/NAME`. Raises `Refusal` (404)."""
        return self.models.get(received.path.rpartition("/")[2]).card()

    def _create(self, received: Received) -> Response:
        message, answer = self.messages.create(received, self._state.script)
        received.gates = answer.gates
        self.allowance.take(received.billed, message["usage"]["output_tokens"])
        if not received.json.get("stream"):
            return JSONResponse(message, headers=dict(answer.headers))
        events = stream_of(message, answer.breaks_after)
        compressed = self._state.compresses and takes_gzip(received)
        return stream(events, answer, received, compressed=compressed)

    def _count(self, received: Received) -> Response:
        return JSONResponse(self.messages.count(received))

    def _batch(self, received: Received) -> Response:
        return JSONResponse(self.batches.get(received.path.rpartition("/")[2]))

    def _results(self, received: Received) -> Response:
        name = received.path.split("/")[-2]
        return Response(self.batches.results(name), media_type="application/x-jsonl")
