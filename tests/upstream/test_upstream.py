"""The local server, asked by the official client over a socket."""

from typing import Any

import httpx2
import pytest
from anthropic import Anthropic, APIStatusError, AsyncAnthropic
from anthropic.types import MessageParam, ToolParam

from tests.upstream.app import Upstream
from tests.upstream.received import Received
from tests.upstream.scripts import Answer, ToolUse, Turn
from tests.upstream.signatures import signature_of

MODEL = "claude-opus-4-8"
HELLO: list[MessageParam] = [{"role": "user", "content": "Hello, who is there?"}]
HEADERS = {"x-api-key": "test", "anthropic-version": "2023-06-01"}
LOOK: ToolParam = {
    "name": "look",
    "description": "Looks.",
    "input_schema": {"type": "object", "properties": {"at": {"type": "string"}}},
}
WHOLE = Answer("I look at it now, with care.", (ToolUse("look", {"at": "the Größe"}, "toolu_1"),),
               thinking="I should look at it before I answer.")  # fmt: skip


def ask(client: Anthropic, **fields: Any) -> Any:
    asked: dict[str, Any] = {"model": MODEL, "max_tokens": 1_000, "messages": HELLO}
    create: Any = client.messages.create
    return create(**(asked | fields))


def test_an_answer_is_given_with_its_usage(client: Anthropic, upstream: Upstream) -> None:
    upstream.script(["Nobody."])
    message = ask(client, system="Be short.")
    assert message.content[0].text == "Nobody."
    assert (message.model, message.role, message.stop_reason) == (MODEL, "assistant", "end_turn")
    # 20 and 9 characters make 5 and 3 tokens; 7 make 2.
    assert (message.usage.input_tokens, message.usage.output_tokens) == (8, 2)
    assert message.usage.cache_read_input_tokens == 0
    assert message.usage.cache_creation.ephemeral_5m_input_tokens == 0


def test_a_request_is_kept_as_it_arrived(client: Anthropic, upstream: Upstream) -> None:
    message = ask(client)
    received = upstream.requests[0]
    assert (received.method, received.path, received.status) == ("POST", "/v1/messages", 200)
    assert received.headers["authorization"] == "Bearer test"
    assert received.json == {"model": MODEL, "max_tokens": 1_000, "messages": HELLO}
    assert b'"max_tokens"' in received.body
    assert received.billed[-1].prompt == message.usage.input_tokens == 5
    assert message._request_id == received.id


def test_a_stream_has_the_events_of_the_api_in_their_order(
    client: Anthropic, upstream: Upstream
) -> None:
    upstream.script([Answer("Yes.", output_tokens=77)])
    events = list(ask(client, stream=True))
    assert [event.type for event in events] == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert events[0].message.usage.input_tokens == 5
    assert events[0].message.usage.output_tokens == 1
    assert events[0].message.stop_reason is None
    assert events[4].usage.output_tokens == 77
    assert events[4].delta.stop_reason == "end_turn"


def test_a_stream_is_the_same_message(client: Anthropic, upstream: Upstream) -> None:
    upstream.script([WHOLE, WHOLE])
    plain = ask(client, tools=[LOOK])
    with client.messages.stream(
        model=MODEL, max_tokens=1_000, messages=HELLO, tools=[LOOK]
    ) as stream:
        kinds = {event.type for event in stream}
        streamed = stream.get_final_message()
    assert {"text", "thinking", "input_json", "signature"} <= kinds
    same = {"id", "parsed_output"}
    assert streamed.model_dump(exclude=same)["usage"] == plain.model_dump(exclude=same)["usage"]
    assert [block.type for block in streamed.content] == ["thinking", "text", "tool_use"]
    for block, other in zip(streamed.content, plain.content, strict=True):
        assert block.model_dump(exclude=same) == other.model_dump(exclude=same)
    assert streamed.stop_reason == plain.stop_reason == "tool_use"


def test_pings_and_every_kind_of_delta_are_on_the_wire(upstream: Upstream) -> None:
    upstream.script([WHOLE])
    body = {"model": MODEL, "max_tokens": 9, "messages": HELLO, "stream": True}
    answer = httpx2.post(f"{upstream.base_url}/v1/messages", json=body, headers=HEADERS)
    assert answer.headers["content-type"].startswith("text/event-stream")
    lines = answer.text.splitlines()
    assert lines[3] == "event: content_block_start"
    assert lines[6:8] == ["event: ping", 'data: {"type": "ping"}']
    assert "thinking_delta" in answer.text


async def test_the_asynchronous_client_reads_streams(upstream: Upstream) -> None:
    upstream.script([WHOLE])
    key: dict[str, Any] = {"api_key": "test", "base_url": upstream.base_url}
    async with (
        AsyncAnthropic(**key) as client,
        client.messages.stream(model=MODEL, max_tokens=99, messages=HELLO, tools=[LOOK]) as stream,
    ):
        message = await stream.get_final_message()
    call = message.content[-1]
    assert call.type == "tool_use"
    assert (call.id, call.input) == ("toolu_1", {"at": "the Größe"})


def test_the_beta_namespace_is_served(client: Anthropic, upstream: Upstream) -> None:
    message = client.beta.messages.create(
        model=MODEL, max_tokens=9, messages=[{"role": "user", "content": "Hello"}], betas=["a", "b"]
    )
    assert message.type == "message"
    assert upstream.requests[0].betas == {"a", "b"}


def test_the_address_of_older_clients_is_served(upstream: Upstream) -> None:
    body = {"model": MODEL, "max_tokens": 9, "messages": HELLO}
    address = f"{upstream.base_url}/v1/messages?beta=true"
    answer = httpx2.post(address, json=body, headers=HEADERS)
    assert answer.json()["type"] == "message"
    assert upstream.requests[0].query == "beta=true"


def test_tokens_are_counted_without_an_answer(client: Anthropic, upstream: Upstream) -> None:
    upstream.script([])
    counted = client.messages.count_tokens(model=MODEL, messages=HELLO, system="Be short.")
    assert counted.input_tokens == 8


def test_models_are_listed(client: Anthropic) -> None:
    assert MODEL in [model.id for model in client.models.list()]
    assert client.models.retrieve(MODEL).max_input_tokens == 1_000_000


def test_max_tokens_cuts_an_answer_short(client: Anthropic, upstream: Upstream) -> None:
    upstream.script(["One two three four.", WHOLE])
    message = ask(client, max_tokens=2)
    assert (message.content[0].text, message.stop_reason) == ("One two ", "max_tokens")
    assert message.usage.output_tokens == 2
    assert ask(client, max_tokens=0).content == []


def test_headers_tell_the_rest_of_the_allowance(client: Anthropic, upstream: Upstream) -> None:
    upstream.script([Answer("Hi.", output_tokens=10), "Hi."])
    ask(client)
    headers = client.messages.with_raw_response.create(
        model=MODEL, max_tokens=9, messages=HELLO
    ).headers
    left = {
        name: int(headers[f"anthropic-ratelimit-{name}-remaining"])
        for name in ("requests", "input-tokens", "output-tokens")
    }
    assert left == {"requests": 3_998, "input-tokens": 1_999_990, "output-tokens": 399_989}
    assert headers["anthropic-ratelimit-tokens-limit"] == "2400000"
    upstream.clock.advance(60)
    assert upstream.allowance.headers()["anthropic-ratelimit-requests-remaining"] == "4000"


def test_keys_may_be_asked_for(client: Anthropic, upstream: Upstream) -> None:
    upstream.keys = {"another"}
    with pytest.raises(APIStatusError, match="invalid x-api-key"):
        ask(client)
    assert upstream.requests[0].status == 401


def test_too_large_a_body_is_refused(client: Anthropic, upstream: Upstream) -> None:
    upstream.max_bytes = 100
    with pytest.raises(APIStatusError) as caught:
        ask(client, system="x" * 100)
    assert caught.value.status_code == 413


def test_an_agent_runs_for_many_turns(client: Anthropic, upstream: Upstream) -> None:
    def model(received: Received) -> Turn:
        turn = len(received.messages) // 2
        if turn == 24:
            return "Done."
        call = ToolUse("look", {"at": f"page {turn}"})
        return Answer(f"Step {turn}.", (call,), thinking=f"Page {turn} is next.")

    upstream.script(model)
    messages: list[MessageParam] = [*HELLO]
    while True:
        answer = ask(client, messages=messages, tools=[LOOK], thinking={"type": "adaptive"})
        messages.append({"role": "assistant", "content": answer.content})
        if answer.stop_reason != "tool_use":
            break
        call = answer.content[-1]
        result: Any = {"type": "tool_result", "tool_use_id": call.id, "content": "A page."}
        messages.append({"role": "user", "content": [result]})
    assert answer.content[0].text == "Done."
    assert len(upstream.requests) == 25
    prompts = [received.billed[-1].prompt for received in upstream.requests]
    assert prompts == sorted(set(prompts))


def test_a_signature_belongs_to_its_thinking() -> None:
    assert signature_of("a") == signature_of("a") != signature_of("b")


def test_an_unknown_path_is_not_found(client: Anthropic, upstream: Upstream) -> None:
    with pytest.raises(APIStatusError) as caught:
        client.get("/v1/unknown", cast_to=object)
    assert (caught.value.status_code, upstream.requests[0].path) == (404, "/v1/unknown")
