"""The gateway's own API says what is so, and what to do where it cannot."""

import re
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests.gateway.serving import Served
from tests.upstream.app import Upstream
from tests.upstream.scripts import greeting
from token_tracking import __version__
from token_tracking_server.gateway.api.limits import MOST_BYTES
from token_tracking_server.gateway.config import preset_upstreams

KEYS = {"x-api-key": "sk-secret-key", "anthropic-version": "2023-06-01"}


@pytest.fixture
def http(any_gateway: Served, any_upstream: Upstream) -> Iterator[httpx2.Client]:
    any_upstream.script(greeting)
    with httpx2.Client(base_url=any_gateway.base_url, timeout=20) as client:
        yield client


def chat(http: httpx2.Client, session: str, text: str = "hi") -> httpx2.Response:
    body = {
        "model": "claude-sonnet-4-5",
        "max_tokens": 50,
        "messages": [{"role": "user", "content": text}],
        "session_id": session,
    }
    return http.post("/messages", json=body, headers=KEYS).raise_for_status()


def test_a_session_is_described(http: httpx2.Client) -> None:
    chat(http, "described")
    found = http.get("/sessions/described").json()
    assert found["form"] == "anthropic"
    assert found["model"] == "claude-sonnet-4-5"
    assert found["upstream"] == "anthropic"
    assert found["strategy"] == "default"
    assert found["messages"] == 2
    assert found["requests"] == 1
    assert found["prompt_tokens"] > 0
    assert found["history"] is None
    for name in ("created_at", "used_at", "expires_at"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", found[name])
    history = http.get("/sessions/described?history=true").json()["history"]
    assert [each["role"] for each in history] == ["user", "assistant"]


def test_sessions_are_listed_page_by_page(http: httpx2.Client) -> None:
    for name in ("p1", "p2", "p3"):
        chat(http, name)
    first = http.get("/sessions", params={"limit": 2}).json()
    second = http.get("/sessions", params={"limit": 1, "offset": 2}).json()
    assert [each["id"] for each in first["sessions"]] == ["p3", "p2"]
    assert [each["id"] for each in second["sessions"]] == ["p1"]
    assert first["total"] == second["total"] >= 3
    assert "history" not in first["sessions"][0]


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_session_that_is_not_there_is_said_so(http: httpx2.Client, method: str) -> None:
    answer = http.request(method, "/sessions/nobody")
    assert answer.status_code == 404
    assert "GET /sessions lists" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/sessions/a%20b", "path.session_id"),
        ("/sessions?limit=0", "query.limit"),
        ("/sessions?limit=1001", "query.limit"),
        ("/sessions?offset=-1", "query.offset"),
        ("/sessions?offset=99999999999999999999", "query.offset"),
        ("/sessions?limit=x", "query.limit"),
    ],
)
def test_a_parameter_that_is_none_is_named(http: httpx2.Client, path: str, place: str) -> None:
    answer = http.get(path)
    assert answer.status_code == 422
    assert place in answer.json()["detail"]


def test_a_text_is_counted_exactly_where_the_tokenizer_is_public(http: httpx2.Client) -> None:
    answer = http.post("/tokens/count", json={"text": "hello world", "model": "gpt-4o"})
    wanted = {"tokens": 2, "method": "o200k_base", "exact": True, "error_p95": 0.0}
    assert answer.json() == wanted


def test_for_claude_the_count_is_an_estimate_with_its_error(http: httpx2.Client) -> None:
    found = http.post("/tokens/count", json={"text": "hello " * 100}).json()
    assert not found["exact"]
    assert found["error_p95"] > 0
    assert found["tokens"] > 100


@pytest.mark.parametrize(
    "messages",
    [
        [{"role": "user", "content": "hello world"}],
        [{"role": "user", "content": [{"type": "text", "text": "hello world"}]}],
        [{"role": "system", "content": "hello"}, {"role": "user", "content": " world"}],
    ],
)
def test_messages_are_counted_in_either_form(http: httpx2.Client, messages: list[Any]) -> None:
    found = http.post("/tokens/count", json={"messages": messages, "model": "gpt-4o"}).json()
    assert 2 + 3 * len(messages) <= found["tokens"] <= 4 + 3 * len(messages)
    assert not found["exact"]
    assert found["error_p95"] is None


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({}, "either text or messages"),
        ({"text": "a", "messages": []}, "either text or messages"),
        ({"text": "a", "modle": "x"}, "modle"),
        ({"text": 3}, "body.text"),
        ({"text": "a", "model": ""}, "body.model"),
        ({"messages": [{"role": "user", "content": [{"text": "no type"}]}]}, "messages"),
        ({"messages": [3]}, "body.messages.0"),
    ],
)
def test_what_cannot_be_counted_is_said_why(http: httpx2.Client, body: Any, told: str) -> None:
    answer = http.post("/tokens/count", json=body)
    assert answer.status_code == 422
    assert told in answer.json()["detail"]


def test_what_was_sent_does_not_stand_in_the_error(http: httpx2.Client) -> None:
    answer = http.post("/tokens/count", json={"text": ["the secret"], "the_key": "secret"})
    assert answer.status_code == 422
    assert "secret" not in answer.text


def test_a_body_that_is_too_large_is_refused(http: httpx2.Client) -> None:
    told = http.post("/tokens/count", content=b" " * (MOST_BYTES + 1))
    assert told.status_code == 413

    def pieces() -> Iterator[bytes]:
        for _ in range(MOST_BYTES // 1_000_000 + 2):
            yield b" " * 1_000_000

    headers = {"content-type": "application/json"}
    assert http.post("/tokens/count", content=pieces(), headers=headers).status_code == 413


def test_models_of_one_upstream_can_be_asked_for(http: httpx2.Client) -> None:
    assert http.get("/models", params={"upstream": "local"}).json() == {"models": []}
    found = http.get("/models", params={"upstream": "anthropic"}).json()["models"]
    assert {each["upstream"] for each in found} == {"anthropic"}
    refused = http.get("/models", params={"upstream": "nobody"})
    assert refused.status_code == 404
    assert "anthropic, openai" in refused.json()["detail"]


def test_the_gateway_is_well(http: httpx2.Client, any_gateway: Served) -> None:
    chat(http, "health")
    assert any_gateway.gateway.services.recorder.flush()
    found = http.get("/health").json()
    assert found["ok"] is True
    assert found["version"] == __version__
    assert [each["name"] for each in found["upstreams"]] == [
        each.name for each in preset_upstreams()
    ]
    assert {each["key"] for each in found["upstreams"]} == {"caller"}
    assert found["recorder"]["recorded"] >= 1
    assert found["recorder"]["problem"] is None


def test_metrics_are_in_prometheus_form(http: httpx2.Client) -> None:
    chat(http, "metrics")
    answer = http.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    text = answer.text
    where = 'model="claude-sonnet-4-5",status="200",upstream="anthropic"'
    assert f"token_tracking_upstream_calls_total{{{where}}}" in text
    assert "token_tracking_first_byte_seconds_bucket" in text
    assert "token_tracking_in_flight 0.0" in text, "who asks is not counted"
    assert http.get("/metrics").text.count("token_tracking_in_flight 0.0") == 1
    for line in text.splitlines():
        assert re.fullmatch(r"# (HELP|TYPE) \w+ .+|\w+(\{.*\})? [-+0-9.e]+(Inf)?", line), line


def test_no_key_stands_in_anything_that_is_told(http: httpx2.Client) -> None:
    chat(http, "keys")
    for path in ("/sessions/keys?history=true", "/sessions", "/health", "/metrics"):
        assert "sk-secret-key" not in http.get(path).text


@pytest.mark.parametrize("path", ["/nothing", "/docs", "/redoc", "/session"])
def test_where_there_is_nothing_it_is_said_what_there_is(http: httpx2.Client, path: str) -> None:
    answer = http.get(path)
    assert answer.status_code == 404
    assert "/openapi.json" in answer.json()["detail"]


def test_another_method_is_refused(http: httpx2.Client) -> None:
    for path, methods in (("/sessions", ["GET"]), ("/agents/a", ["GET", "PUT", "DELETE"])):
        answer = http.patch(path)
        assert answer.status_code == 405
        assert answer.headers["allow"] == ", ".join(methods)
        assert f"use {' or '.join(methods)}" in answer.json()["detail"]


@pytest.mark.parametrize("body", [b"\xff", b"[" * 100_000])
def test_a_body_that_cannot_be_read_is_said_so(http: httpx2.Client, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    answer = http.post("/tokens/count", content=body, headers=headers)
    assert answer.status_code in (400, 422)
    if answer.status_code == 400:
        assert "send JSON in UTF-8" in answer.json()["detail"]


def test_the_gateways_own_refusals_are_counted(http: httpx2.Client) -> None:
    def errors() -> dict[str, float]:
        lines = http.get("/metrics").text.splitlines()
        prefix = 'token_tracking_errors_total{kind="'
        found = [line.removeprefix(prefix) for line in lines if line.startswith(prefix)]
        return {kind: float(value) for kind, _, value in (line.partition('"} ') for line in found)}

    before = errors()
    http.get("/nothing")
    http.get("/sessions/nobody")
    http.patch("/sessions")
    http.get("/sessions?limit=0")
    http.get("/agents/nobody")
    http.post("/tokens/count", content=b" " * (MOST_BYTES + 1))
    new = {kind: value - before.get(kind, 0) for kind, value in errors().items()}
    assert {kind: count for kind, count in new.items() if count} == {
        "NotFoundError": 2,
        "UnknownAgentError": 1,
        "MethodNotAllowedError": 1,
        "InvalidRequestError": 1,
        "BodyTooLargeError": 1,
    }
