"""The client before a gateway: what it asks for, and what it says where there is none."""

import asyncio
import inspect
import socket
from pathlib import Path

import pytest

from tests.gateway.serving import Served, config_of, served_gateway
from tests.upstream.app import Upstream
from tests.upstream.gates import Gate
from tests.upstream.misbehaving import Close, Hold, Misbehaving, Send, misbehaving
from tests.upstream.scripts import Answer
from token_tracking import __version__
from token_tracking.client import Answer as Whole
from token_tracking.client import (
    AnswerStream,
    Delta,
    GatewayClient,
    GatewayError,
    GatewayUnreachableError,
)
from token_tracking.counting import count_tokens
from token_tracking_server.gateway.config import GatewayConfig, preset_upstreams

__all__ = ["misbehaving"]

TOKEN = "a-token-that-nobody-shows"
EVENTS = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"


async def test_health_names_the_version_and_the_upstreams(client: GatewayClient):
    health = await client.health()
    assert health.ok
    assert health.version == __version__
    assert {each.name for each in health.upstreams} >= {"anthropic", "openai", "local"}
    assert {each.key for each in health.upstreams} == {"environment"}
    assert health.recorder.lost == 0


async def test_models_have_windows_and_prices(tmp_path: Path):
    config = GatewayConfig(port=0, upstreams=preset_upstreams())  # where they are is not asked
    with served_gateway(config, tmp_path) as running:
        async with GatewayClient(running.base_url) as client:
            models = {(each.upstream, each.id): each for each in await client.models()}
            only = await client.models("anthropic")
    sonnet = models["anthropic", "claude-sonnet-4-5"]
    assert sonnet.context_window == 200_000
    assert sonnet.prices is not None
    assert sonnet.prices.input == 3.0
    assert len({upstream for upstream, _ in models}) > 1
    assert {each.upstream for each in only} == {"anthropic"}


async def test_tokens_are_counted_as_the_library_counts_them(client: GatewayClient):
    text, model = "How many tokens are these?", "claude-sonnet-4-5"
    counted, here = await client.count_tokens(text, model=model), count_tokens(text, model)
    assert (counted.tokens, counted.method) == (here.tokens, here.method)
    assert (counted.exact, counted.error_p95) == (here.exact, here.error_p95)
    message = {"role": "user", "content": text}
    assert (await client.count_tokens(messages=[message])).tokens >= counted.tokens
    with pytest.raises(GatewayError, match="either text or messages"):
        await client.count_tokens()


async def test_sessions_that_are_not_there_are_not_found(client: GatewayClient):
    assert await client.sessions() == []
    for asked in (client.session("no/such"), client.delete_session("no-such")):
        with pytest.raises(GatewayError) as caught:
            await asked
        assert caught.value.status == 404


async def test_a_stream_may_be_left_without_a_context(client: GatewayClient, upstream: Upstream):
    gate = Gate(before=4)
    upstream.script([Answer("A long answer that is not read to its end.", gates=(gate,))])
    conversation = await client.create_conversation(user="ada", agent="claude")
    stream = client.stream(conversation.id, "Why?")
    assert isinstance(await anext(stream), Delta)
    await stream.aclose()
    (asked,) = upstream.requests
    assert await asyncio.to_thread(asked.ended.wait, 10)
    assert not asked.is_whole
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


async def test_a_gateway_that_does_not_run_is_said_with_how_to_start_it():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
    async with GatewayClient(address, token=TOKEN) as client:
        stream = client.stream("conv_x", "Hello?")
        for asked in (client.health(), client.delete_session("x"), anext(stream)):
            with pytest.raises(GatewayUnreachableError, match="`token-tracking gateway`") as caught:
                await asked
            assert address in str(caught.value)
            assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("address", ["", "localhost:8080", "ftp://127.0.0.1", "http://", "::"])
async def test_what_is_no_address_is_said(address: str):
    async with GatewayClient(address) as client:
        with pytest.raises(GatewayUnreachableError, match=r"http://127\.0\.0\.1:8080"):
            await client.health()


async def test_the_token_opens_the_gateway(
    upstream: Upstream, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TOKEN_TRACKING_GATEWAY_TOKEN", TOKEN)
    folder = tmp_path_factory.mktemp("closed")
    with served_gateway(config_of(upstream.base_url), folder) as running:
        async with GatewayClient(running.base_url, token=TOKEN) as client:
            assert (await client.health()).ok
            assert TOKEN not in repr(client)
        async with GatewayClient(running.base_url) as client:
            with pytest.raises(GatewayError) as caught:
                await client.health()
            assert caught.value.status == 401


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nOK", "it is no JSON"),
        (b'HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n{"ok": "x"}', "another form"),
        (b"HTTP/1.1 502 Bad\r\ncontent-length: 5\r\n\r\nnginx", "nginx"),
        (b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n", "Bad Gateway"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{", "broke"),
        (b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:9\r\ncontent-length: 0\r\n\r\n", "302"),
        (b"garbage\r\n\r\n", "broke"),
        (b"", "broke"),
    ],
)
async def test_what_is_no_gateways_answer_is_an_error(
    misbehaving: Misbehaving, answer: bytes, said: str
):
    misbehaving.script([Send(answer), Close()])
    async with GatewayClient(misbehaving.base_url, token=TOKEN) as client:
        with pytest.raises(GatewayError, match=said) as caught:
            await client.health()
        assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    ("events", "said"),
    [
        (b"", "broke off"),
        (b'event: delta\ndata: {"text": "We"}\n\n', "broke off"),
        (b'event: delta\ndata: {"text": "We"}\n\nevent: message\ndata: {"mess', "broke off"),
        (b"event: delta\ndata: {}\n\n", "another form"),
        (b"event: message\ndata: nothing\n\n", "no JSON"),
        (b'event: error\ndata: {"detail": "It broke.", "status": 502}\n\n', "It broke"),
    ],
)
async def test_a_stream_without_a_whole_answer_is_an_error(
    misbehaving: Misbehaving, events: bytes, said: str
):
    misbehaving.script([Send(EVENTS + events), Close()])
    found: list[Delta | Whole] = []

    async def read(stream: AnswerStream) -> None:
        async for event in stream:
            found.append(event)  # noqa: PERF401 (what came before the error counts)

    async with GatewayClient(misbehaving.base_url) as client:
        with pytest.raises(GatewayError, match=said):
            await read(client.stream("conv_x", "Why?"))
    assert found in ([], [Delta(text="We")])


async def test_a_stream_that_is_none_is_an_error(misbehaving: Misbehaving):
    answer = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\nOK"
    misbehaving.script([Send(answer)])
    async with GatewayClient(misbehaving.base_url) as client:
        with pytest.raises(GatewayError):
            await anext(client.stream("conv_x", "Why?"))


async def test_events_of_a_newer_gateway_are_passed_over(misbehaving: Misbehaving):
    events = b'event: thinking\ndata: {"x": 1}\n\n: ping\n\nevent: delta\ndata: {"text": "We"}\n\n'
    misbehaving.script([Send(EVENTS + events), Close()])
    async with GatewayClient(misbehaving.base_url) as client:
        stream = client.stream("conv_x", "Why?")
        assert await anext(stream) == Delta(text="We")
        await stream.aclose()


async def test_a_gateway_that_says_nothing_is_given_up(misbehaving: Misbehaving):
    hold = Hold()
    misbehaving.script([hold])
    async with GatewayClient(misbehaving.base_url, seconds=0.05) as client:
        with pytest.raises(GatewayError, match=r"said nothing for 0\.05 seconds"):
            await client.health()
    assert await asyncio.to_thread(hold.left.wait, 10)
    hold.close()


def test_every_public_method_says_what_it_does(gateway: Served):
    for name, method in inspect.getmembers(GatewayClient, inspect.isfunction):
        assert name.startswith("_") or inspect.getdoc(method), name
