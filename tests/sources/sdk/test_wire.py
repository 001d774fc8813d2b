"""What is asked for at the wire: every answer can be read, and every caller sees what is his."""

import gzip
import json
import logging
from typing import Any

import anthropic
import httpx2
import pytest
from anthropic.lib.vertex import AnthropicVertex

from tests.sources.replies.streams import chat_usage, chunk, data_events, ended
from tests.sources.sdk.providers import (
    CLAUDE,
    GPT,
    HI,
    Json,
    Provider,
    answer,
    claude,
    gpt,
    message,
    streamed,
)
from token_tracking.sources.sdk import Caller, UnknownClientError, track_client
from token_tracking.usage import UsageEvent


def test_only_codings_that_can_be_read_are_asked_for(seen: list[UsageEvent]) -> None:
    provider = Provider(lambda request: answer(message()))
    client = track_client(claude(provider), seen.append, Caller())
    for accepted in ("gzip, deflate, br", "br"):
        client.messages.create(**CLAUDE, extra_headers={"accept-encoding": accepted})
    assert [request.headers["accept-encoding"] for request in provider.requests] == [
        "gzip, deflate",
        "identity",
    ]


def test_a_message_that_could_not_be_read_is_logged(
    seen: list[UsageEvent], caplog: pytest.LogCaptureFixture
) -> None:
    provider = Provider(lambda request: answer(message(), headers={"content-encoding": "exi"}))
    with caplog.at_level(logging.WARNING, "token_tracking"):
        track_client(claude(provider), seen.append, Caller()).messages.create(**CLAUDE)
    assert seen == []
    assert "What provider.example billed for a message is not known: unreadable" in caplog.text


def test_a_server_that_compresses_has_its_usage_hidden_too(seen: list[UsageEvent]) -> None:
    def answering(request: httpx2.Request) -> httpx2.Response:
        if "gzip" not in request.headers["accept-encoding"]:
            return answer(streamed(request))
        return answer(gzip.compress(streamed(request)), headers={"content-encoding": "gzip"})

    client = track_client(gpt(Provider(answering)), seen.append, Caller())
    chunks = list(client.chat.completions.create(**GPT, stream=True))
    assert [bool(chunk.choices) for chunk in chunks] == [True, True]
    assert [event.usage.output_tokens for event in seen] == [5]


def _resp(status: str, usage: Json | None) -> Json:
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": "gpt-5",
        "status": status,
        "output": [],
        "usage": usage,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
    }


BILLED = {
    "input_tokens": 1000,
    "output_tokens": 500,
    "total_tokens": 1500,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens_details": {"reasoning_tokens": 0},
}


def test_a_response_in_the_background_is_one_message_however_often_it_is_asked_for(
    seen: list[UsageEvent],
) -> None:
    answers = [_resp("queued", None), _resp("in_progress", None), *[_resp("completed", BILLED)] * 2]

    def answering(request: httpx2.Request) -> httpx2.Response:
        number = len(provider.requests) - 1
        return answer(answers[number], headers={"x-request-id": f"req_{number}"})

    provider = Provider(answering)
    client = track_client(gpt(provider), seen.append, Caller(session_id="s1"))
    made = client.responses.create(model="gpt-5", input="Hi.", background=True)
    for _ in range(3):
        client.responses.retrieve(made.id)
    assert {event.key for event in seen} == {"resp_1"}
    assert [(event.usage.output_tokens, event.terms_final) for event in seen] == [
        (0, False),
        (0, False),
        (500, True),
        (500, True),
    ]


def test_a_response_is_read_where_its_retrieval_is_a_stream(seen: list[UsageEvent]) -> None:
    event = {"type": "response.completed", "sequence_number": 9}
    body = data_events({**event, "response": _resp("completed", BILLED)})
    client = track_client(gpt(Provider(lambda request: answer(body))), seen.append, Caller())
    list(client.responses.retrieve("resp_1", stream=True))
    assert [(event.key, event.usage.input_tokens) for event in seen] == [("resp_1", 1000)]


def test_a_retrieval_counts_nothing_where_no_id_tells_which_message_it_is(
    seen: list[UsageEvent],
) -> None:
    bodies = [
        {**_resp("completed", BILLED), "id": "gen-1"},
        {"id": "resp_1", "object": "response", "deleted": True},
    ]
    provider = Provider(lambda request: answer(bodies[len(provider.requests) - 1]))
    client = track_client(gpt(provider), seen.append, Caller())
    client.responses.retrieve("gen-1")
    client.responses.delete("resp_1")
    assert seen == []


def test_a_callers_own_mistake_does_not_end_the_usage_of_others(seen: list[UsageEvent]) -> None:
    def answering(request: httpx2.Request) -> httpx2.Response:
        if b"reasoning_effort" in request.content:
            return answer({"error": {"message": "Invalid value: 'include_usage'"}}, 400)
        return answer(streamed(request))

    client = track_client(gpt(Provider(answering)), seen.append, Caller())
    with pytest.raises(Exception, match="Invalid value: 'include_usage'"):
        client.chat.completions.create(**GPT, stream=True, reasoning_effort="include_usage")
    list(client.chat.completions.create(**GPT, stream=True))
    assert [event.usage.output_tokens for event in seen] == [5]


def test_a_model_that_cannot_tell_its_usage_leaves_others_to_be_asked(
    seen: list[UsageEvent],
) -> None:
    def answering(request: httpx2.Request) -> httpx2.Response:
        body = json.loads(request.content)
        if body["model"] == "old" and "stream_options" in body:
            return answer({"error": {"message": "stream_options is not known"}}, 422)
        return answer(streamed(request))

    provider = Provider(answering)
    client = track_client(gpt(provider), seen.append, Caller())
    for model in ("old", "old", "new"):
        list(client.chat.completions.create(model=model, messages=HI, stream=True))
    assert ["stream_options" in body for body in provider.bodies] == [True, False, False, True]


def test_a_usage_that_a_server_tells_unasked_is_shown_as_it_was() -> None:
    body = data_events(
        chunk({"content": "Hi."}, created=1), ended(created=1, usage=chat_usage(10, 5))
    )
    shown = [
        [each.usage for each in client.chat.completions.create(**GPT, stream=True)]
        for client in (
            gpt(Provider(lambda request: answer(body))),
            track_client(gpt(Provider(lambda request: answer(body))), print, Caller()),
        )
    ]
    assert shown[0] == shown[1]
    assert shown[0][-1] is not None


@pytest.mark.parametrize("coding", [None, "gzip"])
def test_what_a_stand_in_answers_whole_is_read_and_hidden_alike(
    seen: list[UsageEvent], coding: str | None
) -> None:
    def answering(request: httpx2.Request) -> httpx2.Response:
        body = streamed(request)
        headers = {"content-type": "text/event-stream", "content-length": str(len(body))}
        if coding is not None:
            body = gzip.compress(body)
            headers.update({"content-encoding": coding, "content-length": str(len(body))})
        return httpx2.Response(200, headers=headers, content=body)

    client = track_client(gpt(Provider(answering)), seen.append, Caller())
    chunks = list(client.chat.completions.create(**GPT, stream=True))
    # What is compressed although it was not asked for cannot be taken apart.
    assert len(chunks) == (2 if coding is None else 3)
    assert [event.usage.output_tokens for event in seen] == [5]


def test_what_a_stand_in_refuses_whole_is_asked_again() -> None:
    def answering(request: httpx2.Request) -> httpx2.Response:
        if b"stream_options" in request.content:
            return httpx2.Response(400, json={"error": {"message": "stream_options?"}})
        return answer(streamed(request))

    client = track_client(gpt(Provider(answering)), print, Caller())
    assert len(list(client.chat.completions.create(**GPT, stream=True))) == 2


def test_vertex_ai_is_recorded(seen: list[UsageEvent]) -> None:
    provider = Provider(lambda request: answer(message("msg_vrtx_1")))
    client: Any = AnthropicVertex(
        region="global",
        project_id="p",
        access_token="t",
        http_client=httpx2.Client(transport=provider),
    )
    track_client(client, seen.append, Caller()).messages.create(**CLAUDE)
    assert provider.requests[0].url.path.endswith("claude-opus-4-8:rawPredict")
    assert [event.key for event in seen] == ["msg_vrtx_1"]


def test_clients_of_bedrock_are_refused() -> None:
    class Bedrock:
        _client = httpx2.Client()

    for name in ("AnthropicBedrock", "AsyncAnthropicBedrock"):
        assert getattr(anthropic, name).__name__ == name
        # The package's own needs boto3.
        kind = type(name, (Bedrock,), {"__module__": "anthropic.lib.bedrock._client"})
        with pytest.raises(UnknownClientError, match="no Amazon Bedrock"):
            track_client(kind(), print, Caller())
