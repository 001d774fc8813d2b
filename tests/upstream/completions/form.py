"""The APIs that speak OpenAI's form: their endpoints, keys and headers."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse, Response

from tests.upstream.completions.allowances import CompletionAllowance, headers_of
from tests.upstream.completions.dialects import ROOTS, dialect_of
from tests.upstream.completions.endpoints import (
    Completions,
    batch_output,
    card,
    completion_response,
    embeddings,
    models_page,
    response_response,
)
from tests.upstream.completions.errors import CompletionRefusal, refused
from tests.upstream.errors import Refusal
from tests.upstream.forms import Handle, State
from tests.upstream.received import Received
from tests.upstream.sending import takes_gzip
from tests.upstream.values import Json


class OpenAIForm:
    """Completions, responses, files, embeddings and models, of each provider under its root."""

    def __init__(self, state: State) -> None:
        self.completions = Completions()
        self.allowance = CompletionAllowance()
        self._state = state

    @property
    def routes(self) -> Mapping[tuple[str, str], Handle]:
        """The handlers by method and path."""
        own: dict[tuple[str, str], Handle] = {
            ("POST", "/v1/responses"): self._respond,
            ("POST", "/v1/embeddings"): lambda received: JSONResponse(embeddings(received)),
            ("GET", "/v1/files/{name}/content"): self._output,
        }
        for root in ROOTS.values():
            own["POST", f"{root}/chat/completions"] = self._create
        for root in (ROOTS["groq"], ROOTS["gemini"]):
            own["GET", f"{root}/models"] = lambda received: JSONResponse(self.list_models(received))
        return own

    def check_sender(self, received: Received, keys: set[str] | None) -> None:
        """Check the key. Raises `Refusal`."""
        key = received.headers.get("authorization", "").removeprefix("Bearer ")
        if not key or (keys is not None and key not in keys):
            raise CompletionRefusal(401, dialect=dialect_of(received.path))

    def refused(self, received: Received, refusal: Refusal) -> tuple[int, Any]:
        """Status and body of a refusal."""
        own = refused(refusal, dialect_of(received.path))
        return own.status, own.body(received.id)

    def headers(self, received: Received) -> Mapping[str, str]:
        """The limits, and what each provider's answers say of themselves."""
        dialect = dialect_of(received.path)
        return self.allowance.headers(dialect) | headers_of(dialect, received.id)

    def list_models(self, received: Received) -> Json:
        """`GET /v1/models`."""
        return models_page()

    def model(self, received: Received) -> Json:
        """`GET /v1/models/NAME`. Raises `Refusal` (404)."""
        return card(received.path.rpartition("/")[2])

    def _create(self, received: Received) -> Response:
        answer, whole = self.completions.create(received, self._state.script)
        received.gates = answer.gates
        self.allowance.take(dialect_of(received.path), whole["usage"]["total_tokens"])
        return completion_response(received, answer, whole, compressed=self._compresses(received))

    def _respond(self, received: Received) -> Response:
        answer, whole = self.completions.respond(received, self._state.script)
        received.gates = answer.gates
        return response_response(received, answer, whole, compressed=self._compresses(received))

    def _output(self, received: Received) -> Response:
        lines = batch_output(received, self._state.script)
        return Response(lines, media_type="application/octet-stream")

    def _compresses(self, received: Received) -> bool:
        return self._state.compresses and takes_gzip(received)
