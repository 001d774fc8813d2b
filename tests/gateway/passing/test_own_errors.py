"""What the gateway itself cannot do, in the words of the API that was called."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.outcomes import Outcome, ask, outcome_of
from tests.gateway.raw import post, request
from tests.gateway.serving import Served, config_of, served_gateway
from tests.upstream.broken_answers import head, response
from tests.upstream.misbehaving import Hold, Misbehaving, Send
from token_tracking_server.gateway.errors import RefusedError, Shape, error_response

_KEY = "sk-secret-1234567890"
_MESSAGES = post("/v1/messages", b'{"model":"claude-opus-4-8"}', b"x-api-key: " + _KEY.encode())
_CHAT = post("/v1/chat/completions", b"{}", b"authorization: Bearer " + _KEY.encode())


def _answered(port: int, data: bytes) -> Outcome:
    outcome = outcome_of(ask(port, data))
    assert outcome is not None
    return outcome


@pytest.fixture
def closed_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


def test_an_upstream_that_cannot_be_reached_is_said_in_each_apis_words(
    closed_port: int, tmp_path: Path
) -> None:
    with served_gateway(config_of(f"http://127.0.0.1:{closed_port}"), tmp_path) as gateway:
        anthropic = _answered(gateway.port, _MESSAGES)
        openai = _answered(gateway.port, _CHAT)
    message = (
        f"The upstream anthropic at http://127.0.0.1:{closed_port} cannot be reached:"
        " Connection refused."
    )
    said: dict[str, Any] = json.loads(anthropic.body)
    assert anthropic.status == 502
    assert said["request_id"] == dict(anthropic.headers)[b"request-id"].decode()
    assert said == {
        "type": "error",
        "error": {"type": "api_error", "message": message},
        "request_id": said["request_id"],
    }
    assert openai.status == 502
    assert json.loads(openai.body) == {
        "error": {
            "message": message.replace("anthropic", "openai"),
            "type": "server_error",
            "param": None,
            "code": None,
        }
    }
    assert _KEY.encode() not in anthropic.body + openai.body


def test_an_upstream_whose_name_has_no_address_is_said(tmp_path: Path) -> None:
    with served_gateway(config_of("http://nowhere.invalid"), tmp_path) as gateway:
        outcome = _answered(gateway.port, _MESSAGES)
    assert outcome.status == 502
    assert b"nowhere.invalid" in outcome.body


def test_an_upstream_that_says_nothing_is_waited_for_as_long_as_the_configuration_says(
    any_misbehaving: Misbehaving, tmp_path: Path
) -> None:
    hold = Hold()
    any_misbehaving.script([hold])
    config = config_of(any_misbehaving.base_url, answer_seconds=0.2)
    with served_gateway(config, tmp_path) as gateway:
        outcome = _answered(gateway.port, _MESSAGES)
    assert hold.left.wait(5)
    hold.close()
    assert outcome.status == 504
    assert json.loads(outcome.body)["error"]["type"] == "timeout_error"


def test_a_body_that_says_nothing_more_breaks_off(
    any_misbehaving: Misbehaving, tmp_path: Path
) -> None:
    hold = Hold()
    any_misbehaving.script([Send(head(200, [("content-length", "10")]) + b"12345"), hold])
    config = config_of(any_misbehaving.base_url, answer_seconds=0.2)
    with served_gateway(config, tmp_path) as gateway:
        outcome = _answered(gateway.port, _MESSAGES)
    hold.close()
    assert (outcome.status, outcome.body, outcome.is_whole) == (200, b"12345", False)


@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_body_that_is_too_large_is_refused_in_the_apis_words(
    any_misbehaving: Misbehaving, tmp_path: Path, is_chunked: bool
) -> None:
    any_misbehaving.script([Send(response(200, b"{}"))])
    config = config_of(any_misbehaving.base_url, max_body_bytes=100)
    fits, large = b"x" * 100, b"x" * 101
    with served_gateway(config, tmp_path) as gateway:
        assert _answered(gateway.port, _sent(fits, is_chunked=is_chunked)).status == 200
        outcome = _answered(gateway.port, _sent(large, is_chunked=is_chunked))
    assert outcome.status == 413
    assert json.loads(outcome.body)["error"]["type"] == "request_too_large"
    assert len(any_misbehaving.requests) == 1


def _sent(body: bytes, *, is_chunked: bool) -> bytes:
    if not is_chunked:
        return post("/v1/messages", body)
    framed = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    return request(b"POST", b"/v1/messages", b"", b"transfer-encoding: chunked") + framed


def test_a_request_that_does_not_come_whole_is_not_waited_for_without_end(
    any_misbehaving: Misbehaving, tmp_path: Path
) -> None:
    config = config_of(any_misbehaving.base_url, answer_seconds=0.2)
    with served_gateway(config, tmp_path) as gateway:
        outcome = _answered(gateway.port, post("/v1/messages", b"{}").removesuffix(b"}"))
    assert outcome.status == 408
    assert json.loads(outcome.body)["error"]["type"] == "timeout_error"


def test_an_upstream_that_does_not_exist_is_said_with_those_that_do(
    before_misbehaving: Served,
) -> None:
    sent = post("/v1/messages", b"{}", b"x-token-tracking-upstream: antropic")
    outcome = _answered(before_misbehaving.port, sent)
    assert outcome.status == 404
    assert json.loads(outcome.body)["error"]["message"] == (
        "There is no upstream 'antropic'. There are: anthropic, gemini, groq, local, openai."
    )


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ("anthropic", {"type": "rate_limit_error", "message": "No more."}),
        (
            "openai",
            {
                "message": "No more.",
                "type": "insufficient_quota",
                "param": None,
                "code": "rate_limit_exceeded",
            },
        ),
    ],
)
def test_a_refusal_says_when_to_come_again_and_whether(shape: Shape, said: object) -> None:
    response = error_response(RefusedError("No more.", retry_after=2.4), shape)
    headers = dict(response.headers)
    assert response.status == 429
    assert json.loads(response.body)["error"] == said
    assert (headers[b"retry-after"], headers[b"x-should-retry"]) == (b"3", b"false")


def test_what_fails_inside_is_an_error_of_the_api_and_not_of_the_server(
    before_misbehaving: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(before_misbehaving.gateway.services.exchanges, "_through", fail)
    outcome = _answered(before_misbehaving.port, _MESSAGES)
    assert outcome.status == 500
    assert json.loads(outcome.body)["error"]["type"] == "api_error"
