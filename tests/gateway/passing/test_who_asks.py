"""Which upstream is asked, and what is known of who asks."""

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.gateway.outcomes import ask
from tests.gateway.raw import post, request
from tests.gateway.serving import Served, config_of, served_gateway
from tests.upstream.broken_answers import message, response
from tests.upstream.misbehaving import Misbehaving, Send
from token_tracking_server.gateway.config import GatewayConfig, preset_upstreams
from token_tracking_server.gateway.passing.asking import ask_of
from token_tracking_server.gateway.passing.body_fields import body_fields
from token_tracking_server.gateway.passing.request import Request
from token_tracking_server.gateway.security import fingerprint
from token_tracking_server.gateway.upstreams import Upstreams

_CONFIG = GatewayConfig(upstreams=preset_upstreams())
_UUID = "01234567-89ab-cdef-0123-456789abcdef"


@pytest.mark.parametrize(
    ("path", "model", "headers", "upstream"),
    [
        ("/v1/messages", "claude-opus-4-8", {}, "anthropic"),
        ("/v1/messages", "gemini-3-pro", {}, "anthropic"),
        ("/v1/messages/count_tokens", None, {}, "anthropic"),
        ("/v1/chat/completions", "gpt-4o-mini", {}, "openai"),
        ("/v1/chat/completions", "gemini-3-pro", {}, "gemini"),
        ("/v1/chat/completions", "llama-3.3-70b-versatile", {}, "groq"),
        ("/v1/chat/completions", "gpt-4o", {"x-token-tracking-upstream": "local"}, "local"),
        ("/v1/chat/completions", "claude-opus-4-8", {}, "openai"),
        ("/v1/models", None, {"x-api-key": "k"}, "anthropic"),
        ("/v1/models", None, {"anthropic-version": "2023-06-01"}, "anthropic"),
        ("/v1/models", None, {"authorization": "Bearer k"}, "openai"),
        ("/v1/responses", "gpt-4o", {}, "openai"),
        ("/v1/files", None, {"x-api-key": "k"}, "anthropic"),
    ],
)
def test_an_upstream_is_chosen_by_name_or_model_or_form(
    path: str, model: str | None, headers: dict[str, str], upstream: str
) -> None:
    body = json.dumps({"model": model}).encode() if model else b""
    given = [(name.encode(), value.encode()) for name, value in headers.items()]
    asked = ask_of(Request("POST", path, "", given, body), Upstreams(_CONFIG))
    assert asked.upstream.name == upstream


def test_an_upstream_is_called_where_its_sdk_would_call_it() -> None:
    gemini = Upstreams(_CONFIG).named("gemini")
    anthropic = Upstreams(_CONFIG).named("anthropic")
    assert gemini.url_of("/v1/chat/completions") == (
        "https://generativelanguage.googleapis.com/v1beta/openai/chat/completions"
    )
    assert anthropic.url_of("/v1/messages") == "https://api.anthropic.com/v1/messages"


def test_a_path_that_begins_with_an_upstreams_name_goes_there(
    any_misbehaving: Misbehaving, before_misbehaving: Served
) -> None:
    any_misbehaving.script([Send(response(200, b"{}"))])
    ask(before_misbehaving.port, request(b"GET", b"/groq/v1/models?a=b"))
    assert any_misbehaving.requests[0].target == b"/v1/models?a=b"


def test_an_upstreams_own_key_goes_in_place_of_the_callers(
    any_misbehaving: Misbehaving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_KEY", "sk-own")
    any_misbehaving.script([Send(response(200, b"{}"))])
    config = config_of(any_misbehaving.base_url)
    upstreams = tuple(replace(each, key_env="A_KEY") for each in config.upstreams)
    with served_gateway(replace(config, upstreams=upstreams), tmp_path) as gateway:
        ask(gateway.port, post("/v1/messages", b"{}", b"x-api-key: sk-theirs"))
        ask(gateway.port, post("/v1/chat/completions", b"{}", b"authorization: Bearer sk-theirs"))
    anthropic, openai = any_misbehaving.requests
    assert (anthropic.header(b"x-api-key"), anthropic.header(b"authorization")) == (b"sk-own", None)
    assert openai.header(b"authorization") == b"Bearer sk-own"


def test_who_asked_is_recorded_and_the_key_is_not(
    any_misbehaving: Misbehaving, before_misbehaving: Served
) -> None:
    whole = json.dumps(message("msg_01who")).encode()
    json_type = ("content-type", "application/json")
    any_misbehaving.script([Send(response(200, whole, [json_type, ("request-id", "req_42")]))])
    headers = [
        b"x-api-key: sk-secret",
        b"x-token-tracking-user: ada",
        b"x-token-tracking-agent: reviewer",
        b"x-token-tracking-project: /home/ada/engine",
        b"x-token-tracking-session: session-1",
    ]
    ask(before_misbehaving.port, post("/v1/messages", b'{"model":"claude-opus-4-8"}', *headers))
    [row] = [row for row in before_misbehaving.recorded() if row["key"] == "msg_01who"]
    metadata: dict[str, Any] = json.loads(row["metadata"])
    assert (row["session_id"], row["agent_id"], row["source"]) == (
        "session-1",
        "reviewer",
        "gateway",
    )
    assert metadata["key"] == fingerprint(b"sk-secret")
    assert metadata["user"] == "ada"
    assert metadata["upstream"] == "anthropic"
    assert "sk-secret" not in before_misbehaving.ledger.read_bytes().decode("latin-1")


@pytest.mark.parametrize(
    ("user_id", "session"),
    [
        (f"user_abc_account__session_{_UUID}", _UUID),
        (json.dumps({"device_id": "d", "session_id": _UUID}), _UUID),
        ("{no json", None),
        ("somebody", None),
        (7, None),
        (json.dumps({"session_id": "x" * 1000}), None),
    ],
)
def test_claude_codes_session_is_read_from_the_bodys_metadata(
    user_id: object, session: str | None
) -> None:
    body = json.dumps({"model": "m", "stream": True, "metadata": {"user_id": user_id}}).encode()
    fields = body_fields(body)
    assert (fields.model, fields.is_stream, fields.session_id) == ("m", True, session)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b"\xff", b'{"model":7,"stream":"yes"}', b"[" * 100_000]
)
def test_a_body_that_cannot_be_read_names_nothing(body: bytes) -> None:
    fields = body_fields(body)
    assert (fields.model, fields.is_stream, fields.session_id) == (None, False, None)


def test_the_header_of_claude_code_names_the_session_first() -> None:
    headers = [
        (b"x-token-tracking-session", b"second"),
        (b"x-claude-code-session-id", b"first"),
    ]
    asked = ask_of(Request("POST", "/v1/messages", "", headers, b"{}"), Upstreams(_CONFIG))
    assert asked.call.session_id == "first"


@pytest.mark.parametrize(
    ("headers", "window", "limits"),
    [
        ([], None, False),
        ([(b"x-token-tracking-window", b"hybrid"), (b"x-token-tracking-limits", b"on")],
         "hybrid", True),
        ([(b"x-token-tracking-window", b"off"), (b"x-token-tracking-limits", b"off")],
         None, False),
    ],
)  # fmt: skip
def test_window_and_limits_are_for_who_asks_for_them(
    headers: list[tuple[bytes, bytes]], window: str | None, limits: bool
) -> None:
    asked = ask_of(Request("POST", "/v1/messages", "", headers, b"{}"), Upstreams(_CONFIG))
    assert (asked.window, asked.wants_limits) == (window, limits)
    assert asked.headers == []
