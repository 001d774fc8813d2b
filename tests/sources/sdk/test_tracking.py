"""A tracked client is the client that it was, and its usage is recorded once."""

import gc
import json
from typing import Any

import httpx2
import pytest
from anthropic import Anthropic, APIStatusError, AsyncAnthropic, beta_tool
from openai import AsyncOpenAI, OpenAI

from tests.sources.sdk.conftest import ASKED
from tests.upstream.app import Upstream
from tests.upstream.scripts import Answer, Failure, ToolUse
from token_tracking.sources.sdk import Caller, UnknownClientError, track_client
from token_tracking.usage import UsageEvent

CLAUDE: dict[str, Any] = {"model": "claude-opus-4-8", "max_tokens": 100, "messages": ASKED}
GPT: dict[str, Any] = {"model": "gpt-5", "messages": ASKED}


def test_a_message_is_recorded_with_what_was_billed(claude: Any, seen: list[UsageEvent]) -> None:
    message = claude.messages.create(**CLAUDE)
    (event,) = seen
    assert event.key == message.id
    assert event.usage.output_tokens == message.usage.output_tokens
    assert event.usage.input_tokens == message.usage.input_tokens
    assert (event.model, event.stop_reason) == ("claude-opus-4-8", "end_turn")
    assert [place.session_id for place in event.places] == ["s1"]
    assert json.loads(event.metadata or "")["user"] == "ada"


def test_a_stream_is_recorded_with_its_last_counts(claude: Any, seen: list[UsageEvent]) -> None:
    with claude.messages.stream(**CLAUDE) as stream:
        message = stream.get_final_message()
    assert [(event.key, event.usage.output_tokens) for event in seen] == [
        (message.id, message.usage.output_tokens)
    ]
    assert seen[0].output_quality == "final"


@pytest.mark.parametrize("ends", ["closed", "forgotten"])
def test_a_stream_that_is_abandoned_is_recorded_as_far_as_known(
    claude: Any, seen: list[UsageEvent], ends: str
) -> None:
    stream = claude.messages.create(**CLAUDE, stream=True)
    started: Any = next(iter(stream))
    if ends == "closed":
        stream.close()
    else:
        response = stream.response
        response.close()
        del stream, response
        gc.collect()
    (event,) = seen
    assert (event.key, event.output_quality) == (started.message.id, "partial")
    assert event.usage.input_tokens == started.message.usage.input_tokens


def test_a_stream_that_fails_raises_as_ever_and_is_recorded(
    claude: Any, upstream: Upstream, seen: list[UsageEvent]
) -> None:
    upstream.script([Answer("Long enough to break.", breaks_after=3)])
    with pytest.raises(APIStatusError, match="overloaded"):
        for _ in claude.messages.create(**CLAUDE, stream=True):
            pass
    assert [event.output_quality for event in seen] == ["partial"]


def test_attempts_that_were_refused_are_not_recorded(
    upstream: Upstream, seen: list[UsageEvent]
) -> None:
    upstream.script([Failure(529, headers={"retry-after-ms": "1"}), "Then it worked."])
    made: Any = Anthropic(api_key="test", base_url=upstream.base_url)
    with track_client(made, seen.append, Caller()) as client:
        client.messages.create(**CLAUDE)
    assert len(upstream.requests) == 2
    assert len(seen) == 1


def test_a_tool_runner_is_recorded_message_by_message(
    claude: Any, upstream: Upstream, seen: list[UsageEvent]
) -> None:
    upstream.script([Answer(tools=(ToolUse("add", {"a": 1, "b": 2}),)), "It is 3."])

    @beta_tool
    def add(a: int, b: int) -> str:
        """Add two numbers."""
        return str(a + b)

    runner = claude.beta.messages.tool_runner(**CLAUDE, tools=[add])
    keys = [message.id for message in runner]
    assert [event.key for event in seen] == keys
    assert len(keys) == 2


def test_raw_and_streaming_responses_are_recorded_and_whole(
    claude: Any, seen: list[UsageEvent]
) -> None:
    raw = claude.messages.with_raw_response.create(**CLAUDE)
    assert raw.headers["request-id"]
    assert raw.parse().id == seen[0].key
    with claude.messages.with_streaming_response.create(**CLAUDE) as response:
        body = b"".join(response.iter_bytes())
    assert json.loads(body)["id"] == seen[1].key


def test_copies_of_a_client_are_tracked_and_tracking_twice_counts_once(
    claude: Any, seen: list[UsageEvent]
) -> None:
    again = track_client(claude, seen.append, Caller(session_id="s2"))
    again.with_options(timeout=5).messages.create(**CLAUDE)
    assert [place.session_id for event in seen for place in event.places] == ["s2"]


def test_a_call_names_its_own_session_and_no_provider_sees_it(
    upstream: Upstream, seen: list[UsageEvent]
) -> None:
    elsewhere = httpx2.MockTransport(lambda request: _forwarded(request, upstream, sent))
    sent: list[httpx2.Request] = []
    made: Any = Anthropic(
        api_key="test",
        base_url="https://provider.example",
        http_client=httpx2.Client(transport=elsewhere),
    )
    with track_client(made, seen.append, Caller(session_id="s1")) as client:
        client.messages.create(**CLAUDE, extra_headers={"x-token-tracking-session": "mine"})
    assert [place.session_id for event in seen for place in event.places] == ["mine"]
    assert not [name for name in sent[0].headers if name.startswith("x-token-tracking")]


def _forwarded(
    request: httpx2.Request, upstream: Upstream, sent: list[httpx2.Request]
) -> httpx2.Response:
    sent.append(request)
    address = request.url.copy_with(raw_path=request.url.raw_path)
    return httpx2.post(
        upstream.base_url + address.path,
        content=request.content,
        headers={"x-api-key": "test", "anthropic-version": request.headers["anthropic-version"]},
    )


def test_what_holds_no_usage_is_not_touched(claude: Any, seen: list[UsageEvent]) -> None:
    claude.messages.count_tokens(model="claude-opus-4-8", messages=ASKED)
    assert list(claude.models.list())
    assert seen == []


def test_a_recorder_that_fails_fails_no_call(upstream: Upstream) -> None:
    def fail(event: UsageEvent) -> None:
        raise OSError("the disk is gone")

    made: Any = Anthropic(api_key="test", base_url=upstream.base_url)
    with track_client(made, fail, Caller()) as client:
        assert client.messages.create(**CLAUDE).id


def test_a_completion_is_recorded(gpt: Any, seen: list[UsageEvent]) -> None:
    completion = gpt.chat.completions.create(**GPT)
    (event,) = seen
    assert completion.id in event.key
    assert completion.usage is not None
    assert event.usage.prompt_tokens == completion.usage.prompt_tokens
    assert event.usage.output_tokens == completion.usage.completion_tokens


def test_a_streamed_completion_has_its_usage_and_the_caller_sees_none(
    gpt: Any, upstream: Upstream, seen: list[UsageEvent]
) -> None:
    plain: Any = OpenAI(api_key="test", base_url=upstream.base_url + "/v1", max_retries=0)
    with plain:
        expected = [_shown(chunk) for chunk in plain.chat.completions.create(**GPT, stream=True)]
    assert [_shown(each) for each in gpt.chat.completions.create(**GPT, stream=True)] == expected
    assert seen[0].usage.output_tokens > 0
    assert upstream.requests[-1].json["stream_options"] == {"include_usage": True}


def test_who_asked_for_usage_gets_it(gpt: Any, seen: list[UsageEvent]) -> None:
    asked = {"include_usage": True}
    chunks = list(gpt.chat.completions.create(**GPT, stream=True, stream_options=asked))
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == seen[0].usage.output_tokens


def test_a_server_that_knows_no_usage_option_is_asked_without_it_from_then_on(
    gpt: Any, upstream: Upstream, seen: list[UsageEvent]
) -> None:
    refusal = Failure(400, "Unrecognized request argument supplied: stream_options")
    upstream.script([refusal, "First.", "Second."])
    for _ in range(2):
        assert list(gpt.chat.completions.create(**GPT, stream=True))
    asked = ["stream_options" in request.json for request in upstream.requests]
    assert asked == [True, False, False]
    assert [json.loads(event.metadata or "").get("usage") for event in seen] == ["unknown"] * 2


def test_another_refusal_reaches_the_caller_as_it_was(gpt: Any, upstream: Upstream) -> None:
    upstream.script(
        [Failure(400, "The prompt is not good."), Failure(400, "The prompt is not good.")]
    )
    errors: list[Any] = []
    plain: Any = OpenAI(api_key="test", base_url=upstream.base_url + "/v1", max_retries=0)
    for client in (gpt, plain):
        with pytest.raises(Exception, match="not good") as raised:
            client.chat.completions.create(**GPT, stream=True)
        errors.append((type(raised.value), raised.value.body))  # type: ignore[attr-defined]
    plain.close()
    assert errors[0] == errors[1]


async def test_async_clients_are_tracked(upstream: Upstream, seen: list[UsageEvent]) -> None:
    claude: Any = AsyncAnthropic(api_key="test", base_url=upstream.base_url)
    gpt: Any = AsyncOpenAI(api_key="test", base_url=upstream.base_url + "/v1")
    async with (
        track_client(claude, seen.append, Caller()) as one,
        track_client(gpt, seen.append, Caller()) as other,
    ):
        message = await one.messages.create(**CLAUDE)
        async with one.messages.stream(**CLAUDE) as stream:
            streamed = await stream.get_final_message()
        completion = await other.chat.completions.create(**GPT)
        chunks = [each async for each in await other.chat.completions.create(**GPT, stream=True)]
    assert [event.key for event in seen][:2] == [message.id, streamed.id]
    assert completion.id in seen[2].key
    assert chunks[0].id in seen[3].key
    assert all(event.usage.output_tokens for event in seen)


async def test_an_async_stream_that_is_left_is_recorded(
    upstream: Upstream, seen: list[UsageEvent]
) -> None:
    made: Any = AsyncAnthropic(api_key="test", base_url=upstream.base_url)
    async with track_client(made, seen.append, Caller()) as client:
        stream = await client.messages.create(**CLAUDE, stream=True)
        await anext(aiter(stream))
        await stream.close()
    assert [event.output_quality for event in seen] == ["partial"]


def test_what_is_no_client_is_refused() -> None:
    with pytest.raises(UnknownClientError, match="give a client of the package anthropic"):
        track_client(object(), print, Caller())


def _shown(chunk: Any) -> dict[str, Any]:
    """A chunk but for what differs from call to call."""
    return chunk.model_dump(exclude={"id", "created"}, exclude_unset=True)
