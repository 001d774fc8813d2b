"""Anthropic's own count, asked of a server on this machine that speaks its endpoint."""

import json
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, ClassVar

import pytest

from token_tracking.counting import AnthropicCounter, CountingError, TokenCounter

MODEL = "claude-opus-4-6"


class Endpoint(BaseHTTPRequestHandler):
    """Counts the letters of the first message; the model `gone` is unknown."""

    asked: ClassVar[list[tuple[str, dict[str, Any]]]] = []

    def do_POST(self) -> None:
        body: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.asked.append((self.path, body))
        found = body["model"] != "gone"
        count = {"input_tokens": len(body["messages"][0]["content"])}
        failed = {"type": "error", "error": {"type": "not_found_error", "message": "model: gone"}}
        answer = json.dumps(count if found else failed).encode()
        self.send_response(200 if found else 404)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    Endpoint.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Endpoint) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_without_a_key_nothing_is_asked() -> None:
    for environment in ({}, {"ANTHROPIC_API_KEY": " "}):
        with pytest.raises(CountingError, match="set ANTHROPIC_API_KEY"):
            AnthropicCounter(MODEL, environment=environment)


def test_without_the_package_the_error_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "anthropic", None)
    with pytest.raises(CountingError, match="pip install anthropic"):
        AnthropicCounter(MODEL, api_key="k")


@pytest.mark.slow
def test_the_api_is_asked_once_and_its_count_is_used(url: str) -> None:
    pytest.importorskip("anthropic", reason="the package anthropic is not installed")
    counter = TokenCounter()
    environment = {"ANTHROPIC_API_KEY": "k"}
    counter.plug_in(AnthropicCounter(MODEL, base_url=url, environment=environment), MODEL)
    found = counter.count_now("hello \ud800", MODEL)
    assert (found.tokens, found.exact, found.error_p95) == (7, False, None)
    assert found.method == "anthropic count_tokens, as a message of its own"
    assert counter.count_now("", MODEL).tokens == 0
    sent = {"model": MODEL, "messages": [{"role": "user", "content": "hello \ufffd"}]}
    assert Endpoint.asked == [("/v1/messages/count_tokens", sent)]


@pytest.mark.slow
def test_a_refusal_says_what_to_do_and_is_not_tried_again(url: str) -> None:
    pytest.importorskip("anthropic", reason="the package anthropic is not installed")
    with pytest.raises(CountingError, match="count_tokens for gone failed"):
        AnthropicCounter("gone", api_key="k", base_url=url).count("hello")
    assert len(Endpoint.asked) == 1
