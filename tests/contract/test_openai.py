"""OpenAI's client: the same results, errors and requests whichever way they go."""

from typing import Any

import httpx2
import pytest

from tests.contract.both import done, each, first, within
from tests.contract.running import (
    Client,
    Scenario,
    begin,
    check_ledger,
    outcome_of,
    without_asking,
)
from tests.contract.ways import Way, World, ways
from tests.upstream.app import Upstream
from tests.upstream.completions.dialects import Dialect
from tests.upstream.gates import Gate
from tests.upstream.scripts import Answer, Failure, Source, ToolUse

HELLO: list[Any] = [{"role": "user", "content": "Hello, who is there? — Jürgen"}]
IMPATIENT = httpx2.Timeout(5, read=0.2)
ASKED: dict[str, Any] = {"model": "gpt-4o-mini", "messages": HELLO}
NOTHING: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}
LOOKING: dict[str, Any] = {"name": "look", "strict": True, "parameters": NOTHING}
LOOK: dict[str, Any] = {"type": "function", "function": LOOKING}
WHOLE = Answer('I look at it, "usage":null and all, with care.',
               (ToolUse("look", {"at": "the Größe of it, which is great"}), ToolUse("look")),
               thinking="I should look.", cached_tokens=4)  # fmt: skip
INCLUDED = {"include_usage": True}


async def create(client: Client) -> Any:
    return await done(client.chat.completions.create(**ASKED))


async def create_stream(client: Client) -> Any:
    return await each(await done(client.chat.completions.create(**ASKED, stream=True)))


async def create_gemini_stream(client: Client) -> Any:
    """Each chunk of it tells usage, but only who asks: its model says so."""
    asked = ASKED | {"model": "gemini-2.5-flash"}
    return await each(await done(client.chat.completions.create(**asked, stream=True)))


async def create_stream_with_usage(client: Client) -> Any:
    create: Any = client.chat.completions.create
    return await each(await done(create(**ASKED, stream=True, stream_options=INCLUDED)))


async def create_stream_with_other_options(client: Client) -> Any:
    create: Any = client.chat.completions.create
    options = {"include_obfuscation": False}
    return await each(await done(create(**ASKED, stream=True, stream_options=options)))


async def stream(client: Client) -> Any:
    async with within(client.chat.completions.stream(**ASKED, tools=[LOOK])) as opened:
        kinds = [event.type for event in await each(opened)]
        return kinds, await done(opened.get_final_completion())


async def abandon(client: Client) -> Any:
    async with within(await done(client.chat.completions.create(**ASKED, stream=True))) as opened:
        return await first(opened, 2)


async def respond(client: Client) -> Any:
    return await done(client.responses.create(model="gpt-5.4", input="Hello there."))


async def respond_stream(client: Client) -> Any:
    async with within(client.responses.stream(model="gpt-5.4", input="Hello there.")) as opened:
        kinds = [event.type for event in await each(opened)]
        return kinds, await done(opened.get_final_response())


async def models(client: Client) -> Any:
    return await each(client.models.list()), await done(client.models.retrieve("local"))


async def embed(client: Client) -> Any:
    create: Any = client.embeddings.create
    return await done(create(model="e", input=["a"], encoding_format="float"))


async def batch_output(client: Client) -> Any:
    content = await done(client.files.content("file-1"))
    return content.content


async def raw(client: Client) -> Any:
    answer = await done(client.chat.completions.with_raw_response.create(**ASKED))
    return answer.status_code, answer.headers, answer.request_id, answer.http_response.content


async def streamed_raw(client: Client) -> Any:
    create: Any = client.chat.completions.with_streaming_response.create
    async with within(create(**ASKED, stream=True)) as answer:
        return answer.headers, b"".join(await each(answer.iter_bytes()))


async def impatient(client: Client) -> Any:
    brief = client.with_options(timeout=IMPATIENT, max_retries=0)
    return await done(brief.chat.completions.create(**ASKED))


async def unknown_fields(client: Client) -> Any:
    return await done(
        client.chat.completions.create(
            **ASKED,
            extra_body={"reasoning_format": "hidden", "n_ctx": [1, None]},
            extra_headers={"X-Own": "1"},
            extra_query={"q": "a b/ü"},
        )
    )


def compress(upstream: Upstream) -> None:
    upstream.compresses = True


def take_no_options(upstream: Upstream) -> None:
    upstream.openai.completions.takes_stream_options = False


def only_others(upstream: Upstream) -> None:
    upstream.keys = {"another"}


def held(before: int | None) -> Source:
    return lambda _: Answer("A long answer that goes on and on.", gates=(Gate(before),))


def failing(failure: Failure) -> Source:
    return [failure] * 6


SCENARIOS: dict[str, Scenario] = {
    "a completion": Scenario(create, lambda: [WHOLE]),
    "a completion, compressed": Scenario(create, prepare=compress),
    "a stream": Scenario(create_gemini_stream, lambda: [WHOLE], adds_usage=True),
    "a stream with usage": Scenario(create_stream_with_usage, lambda: [WHOLE]),
    "a stream with other options": Scenario(
        create_stream_with_other_options, lambda: [WHOLE], adds_usage=True),
    "a stream, compressed": Scenario(
        create_stream, lambda: [WHOLE], prepare=compress, adds_usage=True),
    "a stream with usage, compressed": Scenario(
        create_stream_with_usage, lambda: [WHOLE], prepare=compress),
    "a stream that is parsed": Scenario(stream, lambda: [WHOLE], adds_usage=True),
    "a long stream": Scenario(create_stream, lambda: ["Ä text of words. " * 200], adds_usage=True),
    "a stream that fails": Scenario(
        create_stream, lambda: [Answer("It begins well.", breaks_after=2)], error="APIError",
        adds_usage=True),
    "a stream that is abandoned": Scenario(abandon, lambda: held(2), adds_usage=True),
    "a response": Scenario(respond),
    "a stream of a response": Scenario(respond_stream),
    "models": Scenario(models),
    "embeddings": Scenario(embed),
    "a batch's output": Scenario(batch_output, lambda: ["One.", "Two."]),
    "a raw response": Scenario(raw),
    "a raw stream": Scenario(streamed_raw, adds_usage=True),
    "unknown fields": Scenario(unknown_fields),
    "a wrong key": Scenario(create, prepare=only_others, error="AuthenticationError"),
    "no patience": Scenario(impatient, lambda: held(None), error="APITimeoutError"),
    "no patience with a stream": Scenario(
        lambda client: create_stream(client.with_options(timeout=IMPATIENT, max_retries=0)),
        lambda: held(2), error="APITimeoutError", adds_usage=True),
    "a rate limit, then none": Scenario(
        create, lambda: [Failure(429, retry_after=0.5), Failure(503), "At last."]),
    "a rate limit": Scenario(
        create, lambda: failing(Failure(429, headers={"retry-after-ms": "12"})),
        error="RateLimitError"),
    "told not to try again": Scenario(
        create, lambda: failing(Failure(500, headers={"x-should-retry": "false"})),
        error="InternalServerError"),
    **{f"status {status}": Scenario(create, lambda status=status: failing(Failure(status)),
                                    error=kind)
       for status, kind in ((400, "BadRequestError"), (401, "AuthenticationError"),
                            (403, "PermissionDeniedError"), (404, "NotFoundError"),
                            (409, "ConflictError"), (413, "APIStatusError"),
                            (422, "UnprocessableEntityError"), (429, "RateLimitError"),
                            (500, "InternalServerError"), (503, "InternalServerError"))},
}  # fmt: skip

DIALECTS: dict[str, Scenario] = {
    "a completion": Scenario(create, lambda: [WHOLE]),
    "a stream": Scenario(create_gemini_stream, lambda: [WHOLE], adds_usage=True),
    "a stream with usage": Scenario(create_stream_with_usage, lambda: [WHOLE]),
    "a rate limit": Scenario(create, lambda: failing(Failure(429)), error="RateLimitError"),
}


async def compare(
    world: World,
    waits: list[float | None],
    scenario: Scenario,
    *,
    is_async: bool,
    dialect: Dialect = "openai",
) -> None:
    async def run(way: Way) -> tuple[Any, Upstream]:
        upstream = begin(world, scenario)
        options = scenario.options
        client = world.openai(way, is_async=is_async, dialect=dialect, **options)
        outcome = await outcome_of(client, scenario.act, lambda: upstream.requests, waits)
        for received in upstream.requests:
            assert received.ended.wait(5)
        return without_asking(outcome, scenario), upstream

    direct, upstream = await run("direct")
    assert direct.error_name == scenario.error, direct
    check_ledger(world, "direct", upstream)
    for way in ways(is_async=is_async):
        outcome, upstream = await run(way)
        assert outcome == direct, way
        check_ledger(world, way, upstream)


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("name", SCENARIOS)
async def test_a_client_sees_the_same_every_way(
    world: World, waits: list[float | None], name: str, is_async: bool
) -> None:
    await compare(world, waits, SCENARIOS[name], is_async=is_async)


@pytest.mark.parametrize("dialect", ["groq", "gemini"])
@pytest.mark.parametrize("name", DIALECTS)
async def test_compatible_endpoints_are_the_same_every_way(
    world: World, waits: list[float | None], name: str, dialect: Dialect
) -> None:
    await compare(world, waits, DIALECTS[name], is_async=True, dialect=dialect)


@pytest.mark.parametrize("dialect", ["groq", "gemini"])
async def test_servers_that_know_no_stream_options_are_asked_without(
    world: World, waits: list[float | None], dialect: Dialect
) -> None:
    scenario = Scenario(create_stream, lambda: ["One."] * 2, prepare=take_no_options)
    for way in ("direct", *ways(is_async=True)):
        requests = begin(world, scenario).requests
        client = world.openai(way, is_async=True, dialect=dialect)
        outcome = await outcome_of(client, create_stream, requests.copy, waits)
        assert outcome.error is None
        assert requests[-1].status == 200
        assert b"stream_options" not in requests[-1].body
        assert len(requests) <= 2
