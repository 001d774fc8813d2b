"""OpenAI's form of the local server, asked by the official client over a socket."""

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import openai
import pytest
from openai import OpenAI

from tests.upstream.app import Upstream
from tests.upstream.completions.dialects import ROOTS, Dialect
from tests.upstream.gates import Gate
from tests.upstream.scripts import Answer, Failure, ToolUse

HELLO = [{"role": "user", "content": "Hello, who is there?"}]
USE = ToolUse("look", {"at": "the Größe of everything there is"}, "call_1")


def client_of(upstream: Upstream, dialect: Dialect = "openai") -> OpenAI:
    return OpenAI(api_key="test", base_url=upstream.base_url + ROOTS[dialect], max_retries=0)


def ask(client: OpenAI, **fields: Any) -> Any:
    create: Any = client.chat.completions.create
    return create(**({"model": "gpt-4o-mini", "messages": HELLO} | fields))


def lines(upstream: Upstream, dialect: Dialect = "openai", **fields: Any) -> list[Any]:
    body = {"model": "gpt-4o-mini", "messages": HELLO, "stream": True, **fields}
    address = f"{upstream.base_url}{ROOTS[dialect]}/chat/completions"
    answer = httpx2.post(address, json=body, headers={"authorization": "Bearer test"})
    assert answer.headers["content-type"].startswith("text/event-stream")
    *events, done, end = answer.text.split("\n\n")
    assert (done, end) == ("data: [DONE]", "")
    return [json.loads(event.removeprefix("data: ")) for event in events]


@pytest.fixture
def client(upstream: Upstream) -> Iterator[OpenAI]:
    with client_of(upstream) as client:
        yield client


def test_a_completion_tells_cached_and_reasoning_tokens(client: OpenAI, upstream: Upstream) -> None:
    upstream.script([Answer("Nobody.", thinking="Is there one?", cached_tokens=3)])
    completion = ask(client)
    assert completion.choices[0].message.content == "Nobody."
    assert completion.choices[0].finish_reason == "stop"
    # 20 characters make 5 tokens, 13 make 4, and 7 make 2.
    usage = completion.usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (5, 6, 11)
    assert usage.prompt_tokens_details.cached_tokens == 3
    assert usage.completion_tokens_details.reasoning_tokens == 4


def test_usage_is_told_in_a_stream_only_to_who_asks(upstream: Upstream) -> None:
    untold = lines(upstream)
    assert all("usage" not in chunk for chunk in untold)
    *others, last = lines(upstream, stream_options={"include_usage": True})
    assert all(chunk["usage"] is None and chunk["choices"] for chunk in others)
    assert (last["choices"], last["usage"]["prompt_tokens"]) == ([], 5)
    assert [chunk["choices"] for chunk in others] == [chunk["choices"] for chunk in untold]


@pytest.mark.parametrize("dialect", list(ROOTS))
def test_a_stream_is_the_same_completion(upstream: Upstream, dialect: Dialect) -> None:
    whole = Answer("I look at it now, with care, for long.", (USE, USE))
    upstream.script([whole, whole])
    with client_of(upstream, dialect) as client:
        plain = ask(client)
        with client.chat.completions.stream(
            model="gpt-4o-mini",
            messages=[{"role": "user", "content": "Hello, who is there?"}],
            stream_options={"include_usage": True},
        ) as stream:
            for _ in stream:
                pass
            streamed = stream.get_final_completion()
    one, other = plain.choices[0], streamed.choices[0]
    assert other.message.content == one.message.content
    assert [call.function.arguments for call in other.message.tool_calls or []] == [
        call.function.arguments for call in one.message.tool_calls
    ]
    assert other.finish_reason == one.finish_reason == "tool_calls"
    assert streamed.usage is not None
    assert streamed.usage.total_tokens == plain.usage.total_tokens


def test_groq_tells_usage_beside_the_last_chunk(upstream: Upstream) -> None:
    *others, last = lines(upstream, "groq")
    assert last["x_groq"]["usage"]["prompt_tokens"] == 5
    assert not any("usage" in chunk.get("x_groq", {}) for chunk in others)


def test_gemini_tells_usage_in_every_chunk_and_thinking_in_the_total(upstream: Upstream) -> None:
    text = "A text that takes more than one chunk."
    upstream.script([Answer(text, thinking="12345678")])
    chunks = lines(upstream, "gemini", stream_options={"include_usage": True})
    assert [chunk["usage"]["completion_tokens"] for chunk in chunks] == [1, 10]
    assert {chunk["usage"]["total_tokens"] for chunk in chunks} == {8, 17}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, openai.BadRequestError),
        (401, openai.AuthenticationError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
        (503, openai.InternalServerError),
    ],
)
def test_failures_have_the_shape_of_the_form(
    client: OpenAI, upstream: Upstream, status: int, kind: type[openai.APIStatusError]
) -> None:
    upstream.script([Failure(status, "It is so.", retry_after=2.5)])
    with pytest.raises(kind) as caught:
        ask(client)
    headers = caught.value.response.headers
    assert (headers["retry-after"], headers["x-request-id"]) == ("2.5", upstream.requests[0].id)
    assert caught.value.response.json()["error"].keys() == {"message", "type", "param", "code"}
    assert headers["x-ratelimit-limit-requests"] == "10000"


def test_gemini_sends_a_list_of_errors(upstream: Upstream) -> None:
    upstream.script([Failure(429, "Quota exceeded.")])
    with client_of(upstream, "gemini") as client, pytest.raises(openai.RateLimitError) as caught:
        ask(client)
    error = {"code": 429, "message": "Quota exceeded.", "status": "RESOURCE_EXHAUSTED"}
    assert caught.value.response.json() == [{"error": error}]


def test_a_stream_may_break_off_with_an_error(client: OpenAI, upstream: Upstream) -> None:
    upstream.script([Answer("A long answer that is never read to its end.", breaks_after=2)])
    with pytest.raises(openai.APIError, match="had an error"):
        list(ask(client, stream=True))


def test_older_servers_refuse_stream_options(client: OpenAI, upstream: Upstream) -> None:
    upstream.openai.completions.takes_stream_options = False
    with pytest.raises(openai.BadRequestError, match="stream_options"):
        ask(client, stream=True, stream_options={"include_usage": True})
    assert list(ask(client, stream=True))


def test_responses_are_served(client: OpenAI, upstream: Upstream) -> None:
    upstream.script(["Nobody is here.", "Nobody is here."])
    plain = client.responses.create(model="gpt-5.4", input="Hello, who is there?")
    with client.responses.stream(model="gpt-5.4", input="Hello, who is there?") as stream:
        for _ in stream:
            pass
        streamed = stream.get_final_response()
    assert streamed.output_text == plain.output_text == "Nobody is here."
    assert streamed.usage == plain.usage
    assert plain.usage is not None
    assert (plain.usage.input_tokens, plain.usage.output_tokens) == (5, 4)


def test_models_are_listed_in_the_form_of_who_asks(client: OpenAI) -> None:
    assert "gpt-4o-mini" in [model.id for model in client.models.list()]
    assert client.models.retrieve("local").owned_by == "system"


def test_a_gate_holds_a_stream_until_it_is_opened(client: OpenAI, upstream: Upstream) -> None:
    gate = Gate(before=2)
    upstream.script([Answer("A text that takes more than one chunk.", gates=(gate,))])
    stream = iter(ask(client, stream=True))
    next(stream)
    assert next(stream).choices[0].delta.content == "A text that takes more t"
    assert gate.reached.wait(5)
    assert not upstream.requests[0].ended.is_set()
    gate.open()
    assert len(list(stream)) == 2
    assert upstream.requests[0].ended.wait(5)
    assert upstream.requests[0].is_whole


def test_a_caller_who_leaves_is_noticed(client: OpenAI, upstream: Upstream) -> None:
    gate = Gate(before=2)
    upstream.script([Answer("A text that takes more than one chunk.", gates=(gate,))])
    with ask(client, stream=True) as stream:
        next(iter(stream))
    assert upstream.requests[0].ended.wait(5)
    assert (upstream.requests[0].is_whole, upstream.requests[0].sent) == (False, 2)


def test_a_caller_who_leaves_before_the_headers_is_noticed(upstream: Upstream) -> None:
    gate = Gate(before=None)
    upstream.script([Answer("Too late.", gates=(gate,))])
    with client_of(upstream) as client, pytest.raises(openai.APITimeoutError):
        ask(client.with_options(timeout=0.2))
    assert upstream.requests[0].ended.wait(5)
    assert not upstream.requests[0].is_whole


@pytest.mark.parametrize("streamed", [False, True])
def test_answers_are_compressed_where_a_test_says_so(upstream: Upstream, streamed: bool) -> None:
    upstream.compresses = True
    body = {"model": "gpt-4o-mini", "messages": HELLO, "stream": streamed}
    address = f"{upstream.base_url}/v1/chat/completions"
    answer = httpx2.post(address, json=body, headers={"authorization": "Bearer test"})
    assert answer.headers["content-encoding"] == "gzip"
    assert "message" in answer.text
