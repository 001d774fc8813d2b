"""Which upstream a request goes to, and whose key goes there."""

import pytest
from msgspec.structs import replace

from token_tracking_server.gateway.config import GatewayConfig, Upstream, preset_upstreams
from token_tracking_server.gateway.passing.body_fields import body_fields
from token_tracking_server.gateway.upstreams import Upstreams

PRESETS = Upstreams(GatewayConfig(upstreams=preset_upstreams()))


@pytest.mark.parametrize(
    ("key", "name"),
    [
        (b"AIzaSyA-key", "gemini"),
        (b"a-key-of-no-looks", "gemini"),
        (None, "gemini"),
        (b"sk-proj-key", "openai"),
        (b"gsk_key", "groq"),
    ],
)
def test_a_key_that_looks_like_another_providers_is_not_sent_after_a_model(
    key: bytes | None, name: str
) -> None:
    assert PRESETS.choose("openai", "gemini-2.5-pro", key=key).name == name


@pytest.mark.parametrize(
    ("key", "name"),
    [
        (b"gsk_key", "groq"),
        (b"AIzaSyA-key", "gemini"),
        (b"sk-proj-key", "openai"),
        (b"sk-ant-key", "anthropic"),
        (b"a-key-of-no-looks", "openai"),
        (None, "openai"),
    ],
)
def test_a_model_that_no_pattern_fits_is_asked_of_the_keys_own_maker(
    key: bytes | None, name: str
) -> None:
    assert PRESETS.choose("openai", "qwen/qwen3-32b", key=key).name == name
    assert PRESETS.choose("openai", None, key=key).name == name


def test_a_maker_that_does_not_speak_the_form_is_not_asked() -> None:
    assert PRESETS.choose("anthropic", "claude-opus-4-8", key=b"sk-proj-key").name == "anthropic"
    assert PRESETS.choose("anthropic", "any", key=b"gsk_key").name == "anthropic"


def test_a_default_of_ones_own_takes_any_key() -> None:
    mine = Upstream(name="mine", base_url="http://127.0.0.1:1/v1", form="openai")
    config = GatewayConfig(upstreams=(mine, *preset_upstreams()), default_openai="mine")
    assert Upstreams(config).choose("openai", "any", key=b"gsk_key").name == "mine"


def test_where_the_gateway_has_a_key_of_its_own_the_callers_does_not_matter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MY_GEMINI", "AIza")
    own = tuple(
        replace(each, key_env="MY_GEMINI") if each.name == "gemini" else each
        for each in preset_upstreams()
    )
    chosen = Upstreams(GatewayConfig(upstreams=own)).choose(
        "openai", "gemini-2.5-pro", key=b"sk-proj-key"
    )
    assert chosen.name == "gemini"


def test_half_a_surrogate_pair_hides_no_field() -> None:
    fields = body_fields(b'{"model": "gpt-5", "stream": true, "messages": ["\\ud83d"]}')
    assert (fields.model, fields.is_stream) == ("gpt-5", True)


@pytest.mark.parametrize("body", [b"", b"[]", b"no", b'{"model": 5}', b"\xff"])
def test_what_is_no_request_has_no_fields(body: bytes) -> None:
    assert body_fields(body).model is None
