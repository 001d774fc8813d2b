"""About how many tokens a request will use."""

import base64
import json
from typing import Any

import pytest
from msgspec.structs import replace

from token_tracking.counting.quick import QUICK_ERROR_P95
from token_tracking.pricing import PriceBook
from token_tracking.sources.replies import Call
from token_tracking.usage import Usage
from token_tracking_server.gateway.config import preset_upstreams
from token_tracking_server.gateway.exchanges import Ask
from token_tracking_server.gateway.limiting.bills import expected_cost
from token_tracking_server.gateway.limiting.estimating import (
    LEAST_PER_BYTE,
    MOST_OUTPUT,
    USUAL_OUTPUT,
    Estimate,
    Estimates,
)
from token_tracking_server.gateway.limiting.media import (
    DOCUMENT_TOKENS,
    MEDIA_TOKENS,
    PAGE_TOKENS,
)

PICTURE = "iVBORw0KGgo" * 40_000


def ask(
    session: str | None = "s",
    model: str = "claude-sonnet-4-6",
    *,
    user: str | None = None,
    path: str = "/v1/messages",
    **body: Any,
) -> Ask:
    return Ask(
        upstream=preset_upstreams()[0],
        form="anthropic",
        method="POST",
        path=path,
        headers=[],
        body=json.dumps({"model": model, **body}).encode(),
        model=model,
        call=Call(started_at=0, source="gateway", session_id=session, user=user),
    )


def said(text: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}]}


async def test_a_first_request_is_estimated_from_its_text():
    found = await Estimates().of(ask(max_tokens=50, **said("the quick brown fox " * 1000)))
    assert 4_000 < found.prompt < 6_000
    assert found.output == 50
    assert found.tokens == found.held_prompt + 50
    assert found.held_prompt == pytest.approx(found.prompt * (1 + QUICK_ERROR_P95), abs=1)


async def test_a_long_text_is_estimated_alike_on_another_thread():
    short = await Estimates().of(ask(**said("the quick brown fox " * 1000)))
    long = await Estimates().of(ask(**said("the quick brown fox " * 10_000)))
    assert long.prompt == pytest.approx(10 * short.prompt, rel=0.02)


async def test_what_was_billed_in_the_session_beats_the_estimate_and_then_the_models():
    estimates = Estimates()
    first = ask(**said("word " * 1000))
    before = await estimates.of(first)
    estimates.learn(first, before.size, Usage(input_tokens=3_000))
    other = ask("other", **said("word " * 1000))
    estimates.learn(other, (await estimates.of(other)).size, Usage(input_tokens=4_000))
    assert (await estimates.of(first)).prompt == 3_000
    grown = await estimates.of(ask(**said("word " * 2000)))
    assert grown.prompt == pytest.approx(6_000, rel=0.02)
    assert (await estimates.of(replace(first, call=other.call))).prompt == 4_000
    assert (await estimates.of(ask("new", **said("word " * 1000)))).prompt == 4_000
    assert (await estimates.of(ask("new", "gpt-4o", **said("word " * 1000)))).prompt < 2_000


async def test_a_picture_is_a_flat_cost_and_no_text():
    image = {"type": "image", "source": {"type": "base64", "data": PICTURE}}
    found = await Estimates().of(ask(messages=[{"role": "user", "content": [image]}]))
    assert MEDIA_TOKENS < found.prompt < MEDIA_TOKENS + 200
    assert found.size.media_tokens == MEDIA_TOKENS
    assert found.size.text_bytes < 200


@pytest.mark.parametrize(
    ("fields", "output"),
    [
        ({}, MOST_OUTPUT),
        ({"max_tokens": 7}, 7),
        ({"max_completion_tokens": 9, "max_tokens": 7}, 9),
        ({"max_output_tokens": 11}, 11),
        ({"max_tokens": "many"}, MOST_OUTPUT),
        ({"max_tokens": -1}, MOST_OUTPUT),
        ({"max_tokens": 10**30}, MOST_OUTPUT),
        ({"max_tokens": 64000.0}, 64_000),
        ({"max_tokens": 64000.5}, MOST_OUTPUT),
        ({"max_tokens": 7, "n": 5}, 35),
        ({"max_tokens": 7, "n": 2, "best_of": 3.0}, 21),
        ({"max_tokens": 7, "n": 10**9}, 7 * 128),
        ({"max_tokens": 7, "n": "many"}, 7),
        ({"max_tokens": 7, "n": 2, "prompt": ["a", "b", "c"]}, 42),
        ({"max_tokens": 7, "prompt": [1, 2, 3]}, 7),
        ({"max_tokens": 7, "n": 5, "user": "\ud800"}, 35),
    ],
)
async def test_the_answer_is_as_long_as_was_asked_for(fields: dict[str, Any], output: int):
    assert (await Estimates().of(ask(**fields))).output == output


async def test_what_asks_for_caching_is_priced_as_written_to_the_cache():
    marked = {"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}}
    found = await Estimates().of(ask(max_tokens=5, system=[marked]))
    assert found.usage == Usage(cache_write_5m_tokens=found.held_prompt, output_tokens=5)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000])
async def test_a_body_that_is_none_does_no_harm(body: bytes):
    found = await Estimates().of(replace(ask(), body=body))
    assert found.prompt >= 0
    assert found.output == MOST_OUTPUT


async def test_without_a_length_the_models_own_is_held_and_the_usual_one_counted():
    found = await Estimates().of(ask(model="claude-3-haiku-20240307", n=2))
    assert (found.output, found.counted_output) == (2 * 4_096, 2 * USUAL_OUTPUT)
    assert (await Estimates().of(ask())).counted_output == USUAL_OUTPUT
    assert (await Estimates().of(ask(path="/v1//embeddings", input="hi"))).output == 0


async def test_white_space_around_a_request_makes_no_later_one_smaller():
    estimates = Estimates()
    small = ask(**said("hi"))
    padded = replace(small, body=small.body.replace(b", ", b"," + b" " * 300_000))
    estimates.learn(padded, (await estimates.of(padded)).size, Usage(input_tokens=20))
    text = said("the quick brown fox " * 1000)
    honest = await Estimates().of(ask(**text))
    assert (await estimates.of(ask(**text))).prompt > honest.prompt / 2


async def test_a_text_of_many_bytes_a_token_makes_a_later_one_no_less_than_half():
    estimates = Estimates()
    sparse = ask(**said("=" * 100_000))
    estimates.learn(sparse, (await estimates.of(sparse)).size, Usage(input_tokens=800))
    text = said("the quick brown fox " * 1000)
    found, honest = await estimates.of(ask(**text)), await Estimates().of(ask(**text))
    assert found.prompt == round(found.size.text_bytes * LEAST_PER_BYTE)
    assert found.prompt > honest.prompt * 0.45


@pytest.mark.parametrize("session", [None, "s"])
async def test_what_one_caller_was_billed_says_nothing_of_another(session: str | None):
    estimates = Estimates()
    mine = ask(session, user="ada", **said("word " * 1000))
    estimates.learn(mine, (await estimates.of(mine)).size, Usage(input_tokens=3_000))
    assert (await estimates.of(mine)).prompt == 3_000
    assert (await estimates.of(ask(session, user="bob", **said("word " * 1000)))).prompt < 2_000


def document(**source: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [{"type": "document", "source": source}]}]}


async def test_a_document_is_as_many_tokens_as_its_bytes_suggest():
    async def prompt(repeats: int) -> int:
        data = base64.b64encode(b"%PDF-1.7 " + b"0123456789" * repeats).decode()
        given = document(type="base64", media_type="application/pdf", data=data)
        return (await Estimates().of(ask(**given))).prompt

    assert PAGE_TOKENS < await prompt(300) < PAGE_TOKENS + 200
    assert await prompt(800_000) == pytest.approx(400_000, rel=0.01)


@pytest.mark.parametrize(
    ("body", "tokens"),
    [
        (document(type="url", url="https://x/y.pdf"), DOCUMENT_TOKENS),
        (document(type="file", file_id="file_1"), DOCUMENT_TOKENS),
        (document(type="text", media_type="text/plain", data="short"), 0),
        ({"input": [{"type": "input_file", "file_url": "https://x/y.pdf"}]}, DOCUMENT_TOKENS),
        ({"messages": [{"type": "file", "file": {"file_id": "x"}}]}, DOCUMENT_TOKENS),
        ({"input": [{"type": "input_image", "image_url": "https://x/y.png"}]}, MEDIA_TOKENS),
        ({"messages": [{"type": "image_url", "image_url": {"url": "https://x"}}]}, MEDIA_TOKENS),
        ({"messages": [{"type": "image", "source": {"type": "url", "url": "x"}}]}, MEDIA_TOKENS),
        (said('the words "type": "image" and "type": "document" in a text'), 0),
    ],
)
async def test_what_is_only_named_is_held_at_its_usual_size(body: dict[str, Any], tokens: int):
    assert (await Estimates().of(ask(**body))).size.media_tokens == tokens


async def test_a_long_word_is_no_picture():
    found = await Estimates().of(ask(**said("A1b2" * 10_000)))
    assert found.size.media_tokens == 0
    assert found.prompt > 5_000


async def test_pictures_whose_slashes_are_escaped_are_pictures():
    data = base64.b64encode(b"\x89PNG" + b"\xff" * 10_000)
    url = b"data:image\\/png;base64," + data.replace(b"/", b"\\/")
    body = b'{"messages": [{"type": "image_url", "image_url": {"url": "' + url + b'"}}]}'
    found = await Estimates().of(replace(ask(), body=body))
    assert (found.size.media_tokens, found.size.text_bytes < 200) == (MEDIA_TOKENS, True)


@pytest.mark.parametrize(
    "name",
    [b"cache_control", b"cache\\u005fcontrol", b"c\\u0061che_control", b"cache\\u005Fcontrol"],
)
async def test_a_breakpoint_is_found_however_it_is_written(name: bytes):
    body = b'{"max_tokens": 5, "system": [{"%s": {"type": "ephemeral", "ttl": "1h"}}]}' % name
    found = await Estimates().of(replace(ask(), body=body))
    assert found.usage == Usage(cache_write_1h_tokens=found.held_prompt, output_tokens=5)
    shorter = await Estimates().of(replace(ask(), body=body.replace(b"1h", b"5m")))
    assert shorter.usage.cache_write_5m_tokens == shorter.held_prompt


@pytest.mark.parametrize(
    ("model", "fields", "terms"),
    [
        ("claude-opus-4-6", {"speed": "fast"}, {"speed": "fast"}),
        ("claude-opus-4-6", {"inference_geo": "us"}, {"inference_geo": "us"}),
        ("gpt-5", {"service_tier": "flex"}, {}),
        ("gpt-5", {"service_tier": "auto"}, {}),
    ],
)
async def test_what_is_held_is_what_the_terms_cost_that_are_asked_for(
    model: str, fields: dict[str, Any], terms: dict[str, str]
):
    prices, at = PriceBook(), 1_780_000_000_000
    asked = ask(model=model, max_tokens=1000, **fields)
    asked = replace(asked, call=replace(asked.call, started_at=at))
    found: Estimate = await Estimates().of(asked)
    held = expected_cost(prices, asked, found.usage, found.terms)
    assert held == prices.cost(found.usage, model, at, **terms).usd
    standard = prices.cost(found.usage, model, at).usd
    assert held is not None
    assert (held > standard) == bool(terms)


async def test_terms_whose_price_nobody_knows_are_not_held_at_another():
    asked = ask(model="gpt-5", max_tokens=1000, service_tier="priority")
    found = await Estimates().of(asked)
    assert expected_cost(PriceBook(), asked, found.usage, found.terms) is None


async def test_what_the_provider_puts_in_front_is_held_where_a_request_goes_on_from_it():
    estimates = Estimates()
    begun = ask(model="gpt-5", path="/v1/responses", input="word " * 1000)
    usage = Usage(input_tokens=1_500, output_tokens=48_500)
    estimates.learn(begun, (await estimates.of(begun)).size, usage, "resp_1")
    gone_on = {"model": "gpt-5", "path": "/v1/responses", "input": "go on"}
    assert (await estimates.of(ask(**gone_on, previous_response_id="resp_1"))).prompt > 50_000
    assert (await estimates.of(ask(**gone_on, previous_response_id="resp_2"))).prompt < 100
    assert (await estimates.of(ask(**gone_on))).prompt < 100


async def test_what_is_no_part_of_a_body_makes_no_later_one_dearer():
    estimates = Estimates()
    searched = ask(**said("What happened today?"))
    estimates.learn(searched, (await estimates.of(searched)).size, Usage(input_tokens=150_000))
    assert (await estimates.of(ask(**said("hi")))).prompt < 100


async def test_what_a_small_request_was_billed_makes_no_large_one_cheaper():
    estimates = Estimates()
    small = ask(**said("hi"))
    estimates.learn(small, (await estimates.of(small)).size, Usage(input_tokens=9))
    large = ask(**said("the quick brown fox " * 1000))
    assert (await estimates.of(large)).prompt == (await Estimates().of(large)).prompt


async def test_what_a_growing_conversation_was_billed_is_held_without_the_quick_ones_error():
    estimates = Estimates()
    first = ask(**said("word " * 1000))
    estimates.learn(first, (await estimates.of(first)).size, Usage(input_tokens=900))
    found = await estimates.of(ask(**said("word " * 1500)))
    assert found.held_prompt == found.prompt == pytest.approx(1_350, rel=0.02)
