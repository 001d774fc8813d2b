"""Answers that do not come: what the caller is told, and that nothing of them is kept."""

import asyncio
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from tests.gateway.api.test_metrics import samples
from tests.gateway.conversations.conftest import (
    AGENTS,
    KEY,
    KEY_VARIABLE,
    recorded,
    with_keys,
)
from tests.gateway.serving import Served, config_of, served_gateway
from tests.upstream.app import Upstream
from tests.upstream.broken_answers import (
    chunks,
    completion,
    events,
    message,
    response,
    streams,
    whole_bodies,
)
from tests.upstream.gates import Gate
from tests.upstream.misbehaving import Misbehaving, Send, misbehaves
from tests.upstream.scripts import Answer, Failure
from token_tracking.client import AnswerStream, Delta, GatewayClient, GatewayError
from token_tracking.client.conversations import Answer as Answered
from token_tracking_server.gateway.conversations.refusals import without_keys

TEXT = "All is well, and this is said."
BOTH = pytest.mark.parametrize("agent", ["claude", "gpt"])
WHOLE = {"claude": message(), "gpt": completion()}
STREAMS = {"claude": events(), "gpt": chunks()}


@pytest.fixture(scope="module")
def misbehaving() -> Iterator[Misbehaving]:
    """A server for all tests of this module."""
    with misbehaves() as held:
        yield held


@pytest.fixture(scope="module")
def before_misbehaving(
    misbehaving: Misbehaving, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """A gateway before it."""
    config = with_keys(config_of(misbehaving.base_url, agents=AGENTS))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(KEY_VARIABLE, KEY)
        with served_gateway(config, tmp_path_factory.mktemp("misbehaving")) as running:
            yield running


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        *(("claude", name) for name in whole_bodies(message())),
        *(
            ("gpt", name)
            for name in ("no JSON", "empty JSON", "JSON of another kind", "no content")
        ),
    ],
)
async def test_an_answer_that_cannot_be_read_leaves_the_conversation_as_it_was(
    before_misbehaving: Served, misbehaving: Misbehaving, agent: str, name: str
):
    misbehaving.script(whole_bodies(WHOLE[agent])[name])
    async with GatewayClient(before_misbehaving.base_url) as client:
        conversation = await client.create_conversation(user="ada", agent=agent)
        sending = client.send(conversation.id, "Is all well?")
        (found,) = await asyncio.gather(sending, return_exceptions=True)
        await _goes_on(client, misbehaving, conversation.id, agent, _kept(found))


@BOTH
@pytest.mark.parametrize("name", streams(events()))
async def test_a_stream_that_breaks_leaves_the_conversation_as_it_was(
    before_misbehaving: Served, misbehaving: Misbehaving, agent: str, name: str
):
    misbehaving.script(streams(STREAMS[agent])[name])
    async with GatewayClient(before_misbehaving.base_url) as client:
        conversation = await client.create_conversation(user="ada", agent=agent)
        reading = _read(client.stream(conversation.id, "Is all well?"))
        (found,) = await asyncio.gather(reading, return_exceptions=True)
        await _goes_on(client, misbehaving, conversation.id, agent, _kept(found))


async def _read(stream: AnswerStream) -> Answered:
    """The whole answer, which begins with what was said before."""
    said = ""
    async with stream:
        async for event in stream:
            if isinstance(event, Answered):
                assert event.message.content == said
                return event
            said += event.text
            assert TEXT.startswith(said)
    raise AssertionError("the stream ended without an answer or an error")


def _kept(found: Answered | BaseException) -> list[str]:
    """What is to be kept: all of an answer, or nothing."""
    if isinstance(found, Answered):
        assert found.message.content == TEXT
        return ["Is all well?", TEXT]
    assert isinstance(found, GatewayError), repr(found)
    assert found.status == 502
    assert "conversation is as it was" in found.detail
    return []


async def _goes_on(
    client: GatewayClient,
    misbehaving: Misbehaving,
    conversation_id: str,
    agent: str,
    kept: list[str],
) -> None:
    """The next message is answered, after no more than what was kept."""
    misbehaving.script([Send(response(200, json.dumps(WHOLE[agent]).encode()))])
    answer = await client.send(conversation_id, "And now?")
    assert answer.metadata.history_length == len(kept)
    found = await client.conversation(conversation_id)
    assert [each.content for each in found.messages] == [*kept, "And now?", TEXT]
    metrics = await client.metrics(conversation_id)
    assert metrics.answers - metrics.broken == len(found.messages) / 2


@BOTH
async def test_what_a_broken_stream_was_billed_is_in_the_metrics(
    client: GatewayClient, upstream: Upstream, gateway: Served, agent: str
):
    upstream.script([Answer("A long answer that is never read to its end.", breaks_after=4)])
    conversation = await client.create_conversation(user="ada", agent=agent)
    with pytest.raises(GatewayError, match="gave no whole answer"):
        async for _ in client.stream(conversation.id, "Why?"):
            pass
    metrics = await client.metrics(conversation.id)
    assert (metrics.answers, metrics.broken, metrics.answers - metrics.unbilled) == (
        1,
        1,
        sum(row["input_tokens"] > 0 for row in recorded(gateway, conversation.id)),
    )
    assert (await client.conversation(conversation.id)).messages == []


@BOTH
@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (Failure(400, "max_tokens: too many"), 502),
        (Failure(401), 502),
        (Failure(404), 502),
        (Failure(429, retry_after=7), 429),
        (Failure(500), 502),
        (Failure(529), 503),
    ],
    ids=lambda value: str(getattr(value, "status", value)),
)
async def test_a_refusal_of_the_upstream_is_told_and_bills_nothing(
    client: GatewayClient, upstream: Upstream, agent: str, failure: Failure, status: int
):
    upstream.script([failure, "Now it works."])
    conversation = await client.create_conversation(user="ada", agent=agent)
    with pytest.raises(GatewayError) as caught:
        await client.send(conversation.id, "Why?")
    assert caught.value.status == status
    assert caught.value.retry_after == failure.retry_after
    assert KEY not in str(caught.value)
    if failure.message:
        assert failure.message in caught.value.detail
    if failure.status == 401:
        assert KEY_VARIABLE in caught.value.detail
    assert (await client.metrics(conversation.id)).answers == 0
    answer = await client.send(conversation.id, "Why?")
    assert answer.metadata.history_length == 0


@BOTH
@pytest.mark.parametrize(
    "echoed", [KEY, "sk-proj-****************wxyz", "gsk_abcDEF123456", "AIzaSyA-b_c1234567"]
)
async def test_a_key_that_an_upstream_repeats_is_not_told(
    client: GatewayClient, upstream: Upstream, agent: str, echoed: str
):
    upstream.script([Failure(400, f"The key '{echoed}' is not for this model.")])
    conversation = await client.create_conversation(user="ada", agent=agent)
    with pytest.raises(GatewayError) as caught:
        await client.send(conversation.id, "Why?")
    assert "The key '[key]' is not for this model." in caught.value.detail


def test_words_that_look_a_little_like_keys_stay():
    ask: Any = SimpleNamespace(headers=[(b"authorization", b"Bearer ollama")])
    text = "A risk-free task of ollama: say sk, gsk or AIz."
    assert without_keys(text, ask) == text


def test_the_key_that_was_sent_is_not_told_whatever_it_looks_like():
    ask: Any = SimpleNamespace(headers=[(b"x-api-key", b"correct horse battery")])
    assert without_keys("No 'correct horse battery' here.", ask) == "No '[key]' here."


async def test_failures_are_counted_whole_or_streamed(
    client: GatewayClient, upstream: Upstream, gateway: Served
):
    def counted() -> float:
        found = samples(gateway.gateway.services.gauges)
        return found.get('token_tracking_errors_total{kind="AnswerFailedError"}', 0)

    before = counted()
    upstream.script([Failure(500), Answer("No.", stop_reason="refusal")])
    conversation = await client.create_conversation(user="ada", agent="claude")
    with pytest.raises(GatewayError):
        await client.send(conversation.id, "Why?")
    with pytest.raises(GatewayError):
        async for _ in client.stream(conversation.id, "Why?"):
            pass
    assert counted() - before == 2


async def test_a_refused_stream_is_an_error_and_no_stream(
    client: GatewayClient, upstream: Upstream
):
    upstream.script([Failure(429, retry_after=7)])
    conversation = await client.create_conversation(user="ada", agent="claude")
    with pytest.raises(GatewayError) as caught:
        await anext(client.stream(conversation.id, "Why?"))
    assert (caught.value.status, caught.value.retry_after) == (429, 7)


async def test_a_model_that_refuses_leaves_no_turn(client: GatewayClient, upstream: Upstream):
    upstream.script([Answer("I wi", stop_reason="refusal"), "Gladly."])
    conversation = await client.create_conversation(user="ada", agent="claude")
    with pytest.raises(GatewayError, match="refused to answer"):
        await client.send(conversation.id, "Something bad?")
    answer = await client.send(conversation.id, "Something good?")
    assert answer.metadata.history_length == 0
    metrics = await client.metrics(conversation.id)
    assert (metrics.answers, metrics.broken, metrics.unbilled) == (2, 1, 0)


async def test_an_answer_without_text_is_none(client: GatewayClient, upstream: Upstream):
    upstream.script([Answer("", output_tokens=3)])
    conversation = await client.create_conversation(user="ada", agent="gpt")
    with pytest.raises(GatewayError, match="wrote no text"):
        await client.send(conversation.id, "Say nothing.")
    assert (await client.conversation(conversation.id)).messages == []


async def test_a_question_that_does_not_fit_the_budget_is_not_asked(
    client: GatewayClient, upstream: Upstream
):
    conversation = await client.create_conversation(user="ada", agent="claude")
    with pytest.raises(GatewayError, match="within the budget of the agent 'claude'") as caught:
        await client.send(conversation.id, "why " * 7000)
    assert caught.value.status == 400
    assert upstream.requests == []


@BOTH
async def test_who_leaves_a_stream_ends_it_upstream_and_keeps_nothing(
    client: GatewayClient, upstream: Upstream, agent: str
):
    gate = Gate(before=4)
    upstream.script([Answer("A long answer that is not read to its end.", gates=(gate,)), "Short."])
    conversation = await client.create_conversation(user="ada", agent=agent)
    async with client.stream(conversation.id, "Why?") as stream:
        assert isinstance(await anext(stream), Delta)
    (asked,) = upstream.requests
    await asyncio.to_thread(asked.ended.wait, 10)
    assert not asked.is_whole
    answer = await _when_free(client, conversation.id, "And now?")
    assert answer.metadata.history_length == 0
    metrics = await client.metrics(conversation.id)
    assert (metrics.answers, metrics.broken) == (2, 1)


async def test_who_leaves_before_the_answer_ends_it_upstream(
    client: GatewayClient, upstream: Upstream
):
    gate = Gate(before=None)
    upstream.script([Answer("Never read.", gates=(gate,)), "Short."])
    conversation = await client.create_conversation(user="ada", agent="claude")
    sending = asyncio.create_task(client.send(conversation.id, "Why?"))
    await gate.reached_soon()
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    answer = await _when_free(client, conversation.id, "And now?")
    gate.open()
    assert answer.message.content == "Short."
    assert answer.metadata.history_length == 0


async def test_one_message_of_a_conversation_is_answered_at_a_time(
    client: GatewayClient, upstream: Upstream
):
    gate = Gate(before=None)
    upstream.script([Answer("The first.", gates=(gate,)), "Another's."])
    conversation = await client.create_conversation(user="ada", agent="claude")
    other = await client.create_conversation(user="ada", agent="claude")
    first = asyncio.create_task(client.send(conversation.id, "First?"))
    await gate.reached_soon()
    for refused in (client.send(conversation.id, "Second?"), client.clear(conversation.id)):
        with pytest.raises(GatewayError, match="is being answered") as caught:
            await refused
        assert (caught.value.status, caught.value.retry_after) == (409, 1)
    assert (await client.send(other.id, "Elsewhere?")).message.content == "Another's."
    gate.open()
    assert (await first).message.content == "The first."
    found = await client.conversation(conversation.id)
    assert [each.content for each in found.messages] == ["First?", "The first."]


async def test_a_conversation_deleted_while_it_is_answered_stays_deleted(
    client: GatewayClient, upstream: Upstream
):
    gate = Gate(before=None)
    upstream.script([Answer("Too late.", gates=(gate,))])
    conversation = await client.create_conversation(user="ada", agent="claude")
    sending = asyncio.create_task(client.send(conversation.id, "First?"))
    await gate.reached_soon()
    await client.delete_conversation(conversation.id)
    gate.open()
    with pytest.raises(GatewayError) as caught:
        await sending
    assert caught.value.status == 404
    with pytest.raises(GatewayError, match="no conversation"):
        await client.metrics(conversation.id)


async def test_without_a_key_the_callers_own_goes_upstream(
    upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
):
    config = config_of(upstream.base_url, agents=AGENTS)
    with served_gateway(config, tmp_path_factory.mktemp("keyless")) as running:
        async with GatewayClient(running.base_url, api_key="sk-of-the-caller") as client:
            for agent in ("claude", "gpt"):
                conversation = await client.create_conversation(user="ada", agent=agent)
                await client.send(conversation.id, "Hello?")
        async with GatewayClient(running.base_url) as client:
            with pytest.raises(GatewayError, match=r"refused the key .* send a key"):
                await client.send(conversation.id, "Hello again?")
    claude, gpt, _ = upstream.requests
    assert claude.headers["x-api-key"] == "sk-of-the-caller"
    assert gpt.headers["authorization"] == "Bearer sk-of-the-caller"


async def _when_free(client: GatewayClient, conversation_id: str, content: str) -> Answered:
    """Ask again while the gateway still ends what was left."""
    async with asyncio.timeout(10):
        while True:
            try:
                return await client.send(conversation_id, content)
            except GatewayError as error:
                if error.status != 409:
                    raise
