"""A local server that speaks the organisation's reports, over a real socket."""

import json
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

KEY = "sk-ant-admin01-only-a-test"

Query = dict[str, list[str]]


class Answer(NamedTuple):
    """What the server says: a status, a body (JSON, or bytes as they are, or one piece of bytes
    after another, without their length), headers."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = {}  # noqa: RUF012 (never changed)


class Asked(NamedTuple):
    """What it was asked."""

    path: str
    query: Query
    headers: dict[str, str]


class Api:
    """The other side: `answers` has a function, or a list of answers one after another, a path."""

    def __init__(self) -> None:
        self.answers: dict[str, Callable[[Query], Answer] | list[Answer]] = {}
        self.asked: list[Asked] = []
        self.url = ""

    def answer(self, path: str, query: Query, headers: dict[str, str]) -> Answer:
        """One answer; a key that is not the right one is refused."""
        self.asked.append(Asked(path, query, headers))
        if headers.get("x-api-key") != KEY:
            return refusal(401, "invalid x-api-key")
        found = self.answers.get(path)
        if found is None:
            return refusal(404, "Not found")
        return found(query) if callable(found) else found.pop(0)

    @property
    def paths(self) -> list[str]:
        """What was asked for, in order."""
        return [asked.path for asked in self.asked]


def refusal(status: int, message: str) -> Answer:
    """An error as Anthropic words it."""
    kinds = {401: "authentication_error", 403: "permission_error", 404: "not_found_error"}
    kind = kinds.get(status, "invalid_request_error")
    return Answer(status, {"type": "error", "error": {"type": kind, "message": message}})


@contextmanager
def served(api: Api) -> Generator[Api]:
    """The server, for as long as it is needed."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = api.answer(parts.path, parse_qs(parts.query), headers)
            # Whoever has enough hangs up.
            with suppress(ConnectionError):
                self.send(answer)

        def send(self, answer: Answer) -> None:
            pieces: Iterator[bytes] = answer.body
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if not isinstance(answer.body, Iterator):
                body = answer.body
                whole = body if isinstance(body, bytes) else json.dumps(body).encode()
                pieces = iter([whole])
                self.send_header("content-length", str(len(whole)))
            self.end_headers()
            for piece in pieces:
                self.wfile.write(piece)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base names it)
            """Nothing: tests read what was asked."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        api.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield api
        finally:
            server.shutdown()
            thread.join()


def usage_result(model: str | None, key: str | None = "apikey_1", **counts: int) -> dict[str, Any]:
    """A row of `usage_report/messages`, with all its fields."""
    return {
        "account_id": None,
        "api_key_id": key,
        "cache_creation": {
            "ephemeral_1h_input_tokens": counts.get("hour", 0),
            "ephemeral_5m_input_tokens": counts.get("write", 0),
        },
        "cache_read_input_tokens": counts.get("read", 0),
        "context_window": None,
        "inference_geo": None,
        "model": model,
        "output_tokens": counts.get("output", 0),
        "server_tool_use": {"web_search_requests": counts.get("searches", 0)},
        "service_tier": None,
        "uncached_input_tokens": counts.get("fresh", 0),
        "workspace_id": None,
    }


def cost_result(model: str | None, cents: str, **fields: Any) -> dict[str, Any]:
    """A row of `cost_report`, with all its fields."""
    return {
        "amount": cents,
        "context_window": "0-200k",
        "cost_type": "tokens",
        "currency": "USD",
        "description": f"{model} Usage - Output Tokens",
        "inference_geo": None,
        "model": model,
        "service_tier": "standard",
        "token_type": "output_tokens",
        "workspace_id": None,
        **fields,
    }


def bucket(day: str, *results: dict[str, Any]) -> dict[str, Any]:
    """A day of the older reports."""
    return {
        "starting_at": f"{day}T00:00:00Z",
        "ending_at": f"{day}T23:59:59Z",
        "results": [*results],
    }


def page(*data: dict[str, Any], following: str | None = None) -> Answer:
    """A page of any report."""
    return Answer(
        200, {"data": list(data), "has_more": following is not None, "next_page": following}
    )


def item(day: str, model: str | None, **part: Any) -> dict[str, Any]:
    """A row of the newer reports."""
    group = {"model": model, "api_key_id": part.pop("key", None), "product": None, "speed": None}
    return {
        "starting_at": f"{day}T00:00:00Z",
        "ending_at": f"{day}T23:59:59Z",
        "group": group,
        **part,
    }


def counts(**given: int) -> dict[str, Any]:
    """The usage of such a row."""
    row = usage_result(None, None, **given)
    names = (
        "cache_creation",
        "cache_read_input_tokens",
        "output_tokens",
        "server_tool_use",
        "uncached_input_tokens",
    )
    return {**{name: row[name] for name in names}, "requests": 1, "total_tokens": 0}


def claude_code(day: str, email: str, model: str) -> dict[str, Any]:
    """A row of `usage_report/claude_code`, with all its fields."""
    return {
        "actor": {"type": "user_actor", "email_address": email},
        "core_metrics": {"num_sessions": 1, "lines_of_code": {"added": 1, "removed": 0}},
        "customer_type": "api",
        "date": f"{day}T00:00:00Z",
        "model_breakdown": [
            {
                "estimated_cost": {"amount": 1025, "currency": "USD"},
                "model": model,
                "tokens": {"input": 1, "output": 2, "cache_read": 3, "cache_creation": 4},
            }
        ],
        "organization_id": "org",
        "terminal_type": "vscode",
        "tool_actions": {},
    }
