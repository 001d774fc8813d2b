"""Anthropic's batches: answered when they are made, so that their results can be read at once."""

import json
from collections.abc import Callable

from tests.upstream.answers import new_id
from tests.upstream.errors import Refusal, invalid
from tests.upstream.received import Received
from tests.upstream.values import Json, objects

_AT = "2026-01-01T00:00:00Z"


class Batches:
    """The batches by id. `answer` gives the message of one request, or raises `Refusal`."""

    def __init__(self, answer: Callable[[Received], Json]) -> None:
        self._answer = answer
        self._batches: dict[str, Json] = {}
        self._results: dict[str, list[Json]] = {}

    def create(self, received: Received) -> Json:
        """`POST /v1/messages/batches`. Raises `Refusal` (400)."""
        requests = objects(received.json.get("requests"))
        if not requests:
            raise invalid("requests: List should have at least 1 item")
        name = new_id("msgbatch")
        results = [self._result(received, request) for request in requests]
        self._results[name] = results
        self._batches[name] = _batch(name, received, results)
        return self._batches[name]

    def _result(self, received: Received, request: Json) -> Json:
        body = json.dumps(request["params"]).encode()
        inner = Received("POST", "/v1/messages", "", received.headers, body, received.id)
        try:
            message = self._answer(inner)
        except Refusal as refusal:
            error = refusal.body(received.id)
            return {
                "custom_id": request["custom_id"],
                "result": {"type": "errored", "error": error},
            }
        message["usage"]["service_tier"] = "batch"
        result = {"type": "succeeded", "message": message}
        return {"custom_id": request["custom_id"], "result": result}

    def get(self, name: str) -> Json:
        """A batch. Raises `Refusal` (404)."""
        if name not in self._batches:
            raise Refusal(404, f"message_batch: {name}")
        return self._batches[name]

    def results(self, name: str) -> bytes:
        """A batch's results, a line each. Raises `Refusal` (404)."""
        self.get(name)
        return b"".join(json.dumps(result).encode() + b"\n" for result in self._results[name])


def _batch(name: str, received: Received, results: list[Json]) -> Json:
    kinds = [result["result"]["type"] for result in results]
    names = ("succeeded", "errored", "canceled", "expired")
    counts = {"processing": 0, **{kind: kinds.count(kind) for kind in names}}
    address = f"http://{received.headers['host']}/v1/messages/batches/{name}/results"
    return {
        "id": name,
        "type": "message_batch",
        "processing_status": "ended",
        "request_counts": counts,
        "ended_at": _AT,
        "created_at": _AT,
        "expires_at": _AT,
        "archived_at": None,
        "cancel_initiated_at": None,
        "results_url": address,
    }
