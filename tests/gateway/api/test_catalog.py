"""Which models there are, what they take and what they cost; and what is told of upstreams."""

from typing import Any

import pytest
from msgspec.structs import replace

from token_tracking.pricing import PriceBook
from token_tracking_server.gateway.api.catalog import Catalog, KnownModel
from token_tracking_server.gateway.api.health import upstream_shown
from token_tracking_server.gateway.api.models import model_shown
from token_tracking_server.gateway.config import preset_upstreams
from token_tracking_server.gateway.config.values import Upstream


@pytest.fixture(scope="module")
def models() -> dict[tuple[str, str], KnownModel]:
    named = Upstream(
        name="mine",
        base_url="http://127.0.0.1:9/v1",
        form="openai",
        models=("my-model", "claude-opus-4-5", "other-*"),
    )
    found = Catalog((*preset_upstreams(), named), PriceBook()).models()
    return {(model.upstream, model.id): model for model in found}


def test_claude_models_have_all_their_figures(models: Any) -> None:
    shown = model_shown(models["anthropic", "claude-opus-4-5"])
    assert shown.context_window == 200_000
    assert shown.max_output_tokens == 64_000
    assert shown.prices is not None
    prices = shown.prices
    assert (prices.input, prices.output, prices.cache_read) == (5.0, 25.0, 0.5)
    assert (prices.cache_write_5m, prices.cache_write_1h) == (6.25, 10.0)
    assert shown.why_no_prices is None


@pytest.mark.parametrize(
    ("upstream", "name"),
    [("openai", "gpt-4o"), ("gemini", "gemini-2.5-flash"), ("groq", "llama-3.3-70b-versatile")],
)
def test_other_providers_models_have_what_is_known(models: Any, upstream: str, name: str) -> None:
    shown = model_shown(models[upstream, name])
    assert shown.prices is not None
    assert 0 < shown.prices.input < shown.prices.output
    assert shown.context_window is None or shown.context_window > 100_000
    assert shown.max_output_tokens is None


def test_what_is_unknown_is_null_with_a_reason(models: Any) -> None:
    shown = model_shown(models["mine", "my-model"])
    assert shown.context_window is None
    assert shown.prices is None
    assert "my-model" in (shown.why_no_prices or "")


def test_a_model_that_the_configuration_names_is_there_and_a_pattern_is_not(models: Any) -> None:
    mine = [name for upstream, name in models if upstream == "mine"]
    assert mine == ["claude-opus-4-5", "my-model"]
    assert models["mine", "claude-opus-4-5"].context_window == 200_000


def test_only_models_that_an_upstream_serves_are_known(models: Any) -> None:
    gemini = {name for upstream, name in models if upstream == "gemini"}
    assert "gemini-2.5-flash" in gemini
    assert not [name for name in gemini if "claude" in name]


def test_a_window_that_the_provider_does_not_tell_is_told_by_openrouter(models: Any) -> None:
    assert models["gemini", "gemini-2.5-pro"].context_window == 1_048_576


def test_a_preset_at_another_address_has_the_same_models(models: Any) -> None:
    moved = [replace(each, base_url="http://127.0.0.1:9/v1") for each in preset_upstreams()]
    found = {(each.upstream, each.id) for each in Catalog(moved, PriceBook()).models()}
    assert found == {name for name in models if name[0] != "mine"}
    renamed = replace(moved[0], name="other")
    assert Catalog([renamed], PriceBook()).models() == []


def test_no_model_is_there_twice(models: Any) -> None:
    names = [name for upstream, name in models if upstream == "anthropic"]
    assert names == sorted(set(names))
    assert len(names) > 20


def test_a_password_in_an_address_is_not_told() -> None:
    upstream = Upstream(name="x", base_url="https://me:pw@example.com/v1", form="openai")
    assert upstream_shown(upstream).address == "https://example.com/v1"


def test_whose_key_an_upstream_is_asked_with_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    upstream = Upstream(name="x", base_url="https://x", form="openai", key_env="A_KEY_OF_X")
    monkeypatch.delenv("A_KEY_OF_X", raising=False)
    assert upstream_shown(upstream).key == "missing"
    monkeypatch.setenv("A_KEY_OF_X", "sk-secret")
    assert upstream_shown(upstream).key == "environment"
    assert "sk-secret" not in upstream_shown(upstream).model_dump_json()
