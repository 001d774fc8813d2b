"""About how many tokens a request will use."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from token_tracking.sources.replies import Call
from token_tracking.usage import Usage
from token_tracking_server.gateway.config import preset_upstreams
from token_tracking_server.gateway.exchanges import Ask
from token_tracking_server.gateway.limiting.estimating import (
    MEDIA_TOKENS,
    USUAL_OUTPUT,
    Estimates,
)

PICTURE = "iVBORw0KGgo" * 40_000


def ask(session: str | None = "s", model: str = "claude-sonnet-4-6", **body: Any) -> Ask:
    return Ask(
        upstream=preset_upstreams()[0],
        form="anthropic",
        method="POST",
        path="/v1/messages",
        headers=[],
        body=json.dumps({"model": model, **body}).encode(),
        model=model,
        call=Call(started_at=0, source="gateway", session_id=session),
    )


def said(text: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}]}


async def test_a_first_request_is_estimated_from_its_text():
    found = await Estimates().of(ask(max_tokens=50, **said("the quick brown fox " * 1000)))
    assert 4_000 < found.prompt < 6_000
    assert found.output == 50
    assert found.tokens == found.prompt + 50


async def test_a_long_text_is_estimated_alike_on_another_thread():
    short = await Estimates().of(ask(**said("the quick brown fox " * 1000)))
    long = await Estimates().of(ask(**said("the quick brown fox " * 10_000)))
    assert long.prompt == pytest.approx(10 * short.prompt, rel=0.02)


async def test_what_was_billed_in_the_session_beats_the_estimate_and_then_the_models():
    estimates = Estimates()
    first = ask(**said("word " * 1000))
    before = await estimates.of(first)
    estimates.learn(first, before.size, 3_000)
    other = ask("other", **said("word " * 1000))
    estimates.learn(other, (await estimates.of(other)).size, 6_000)
    assert (await estimates.of(first)).prompt == 3_000
    grown = await estimates.of(ask(**said("word " * 2000)))
    assert grown.prompt == pytest.approx(6_000, rel=0.02)
    assert (await estimates.of(replace(first, call=other.call))).prompt == 6_000
    assert (await estimates.of(ask("new", **said("word " * 1000)))).prompt == 6_000
    assert (await estimates.of(ask("new", "gpt-4o", **said("word " * 1000)))).prompt < 2_000


async def test_a_picture_is_a_flat_cost_and_no_text():
    image = {"type": "image", "source": {"type": "base64", "data": PICTURE}}
    found = await Estimates().of(ask(messages=[{"role": "user", "content": [image]}]))
    assert MEDIA_TOKENS < found.prompt < MEDIA_TOKENS + 200
    assert found.size.media == 1
    assert found.size.text_bytes < 200


@pytest.mark.parametrize(
    ("fields", "output"),
    [
        ({}, USUAL_OUTPUT),
        ({"max_tokens": 7}, 7),
        ({"max_completion_tokens": 9, "max_tokens": 7}, 9),
        ({"max_output_tokens": 11}, 11),
        ({"max_tokens": "many"}, USUAL_OUTPUT),
        ({"max_tokens": -1}, USUAL_OUTPUT),
        ({"max_tokens": 10**30}, USUAL_OUTPUT),
    ],
)
async def test_the_answer_is_as_long_as_was_asked_for(fields: dict[str, Any], output: int):
    assert (await Estimates().of(ask(**fields))).output == output


async def test_what_asks_for_caching_is_priced_as_written_to_the_cache():
    marked = {"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}}
    found = await Estimates().of(ask(max_tokens=5, system=[marked]))
    assert found.usage == Usage(cache_write_5m_tokens=found.prompt, output_tokens=5)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000])
async def test_a_body_that_is_none_does_no_harm(body: bytes):
    found = await Estimates().of(replace(ask(), body=body))
    assert found.prompt >= 0
    assert found.output == USUAL_OUTPUT
