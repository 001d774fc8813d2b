"""Anthropic's client: the same results, errors and requests whichever way they go."""

from typing import Any

import httpx2
import pytest
from anthropic import AsyncAnthropic, beta_async_tool, beta_tool

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
from tests.upstream.gates import Gate
from tests.upstream.scripts import Answer, Failure, Source, ToolUse

MODEL = "claude-opus-4-8"
HELLO = [{"role": "user", "content": "Hello, who is there? — Jürgen"}]
LOOK = {"name": "look", "description": "Looks.", "input_schema": {"type": "object"}}
IMPATIENT = httpx2.Timeout(5, read=0.2)
ASKED: dict[str, Any] = {"model": MODEL, "max_tokens": 1_000, "messages": HELLO}
WHOLE = Answer("I look at it now, with care.", (ToolUse("look", {"at": "the Größe"}),),
               thinking="I should look at it before I answer.")  # fmt: skip


async def create(client: Client) -> Any:
    return await done(client.messages.create(**ASKED))


async def create_with_tools(client: Client) -> Any:
    return await done(client.messages.create(**ASKED, tools=[LOOK], system="Be short."))


async def create_stream(client: Client) -> Any:
    return await each(await done(client.messages.create(**ASKED, stream=True)))


async def stream(client: Client) -> Any:
    async with within(client.messages.stream(**ASKED, tools=[LOOK])) as opened:
        kinds = [event.type for event in await each(opened)]
        return kinds, await done(opened.get_final_message()), opened.request_id


async def text_stream(client: Client) -> Any:
    async with within(client.messages.stream(**ASKED)) as opened:
        return await each(opened.text_stream)


async def abandon(client: Client) -> Any:
    async with within(client.messages.stream(**ASKED)) as opened:
        return await first(opened, 3)


async def beta(client: Client) -> Any:
    return await done(client.beta.messages.create(**ASKED, betas=["a-2026-01-01", "b"]))


async def beta_stream(client: Client) -> Any:
    async with within(client.beta.messages.stream(**ASKED, betas=["a-2026-01-01"])) as opened:
        return await each(opened)


def _look(at: str) -> str:
    """Look.

    Args:
        at: where to look
    """
    return f"There is nothing at {at}."


async def _look_later(at: str) -> str:
    """Look.

    Args:
        at: where to look
    """
    return _look(at)


async def run_tools(client: Client) -> Any:
    tool: Any = beta_async_tool if isinstance(client, AsyncAnthropic) else beta_tool
    look = tool(_look_later if isinstance(client, AsyncAnthropic) else _look, name="look")
    return await each(client.beta.messages.tool_runner(**ASKED, tools=[look]))


async def count(client: Client) -> Any:
    return await done(client.messages.count_tokens(model=MODEL, messages=HELLO))


async def models(client: Client) -> Any:
    return await each(client.models.list()), await done(client.models.retrieve(MODEL))


async def batches(client: Client) -> Any:
    requests = [{"custom_id": name, "params": ASKED} for name in ("one", "two")]
    made = await done(client.messages.batches.create(requests=requests))
    again = await done(client.messages.batches.retrieve(made.id))
    return made, again, await each(await done(client.messages.batches.results(made.id)))


async def raw(client: Client) -> Any:
    answer = await done(client.messages.with_raw_response.create(**ASKED))
    parsed = await done(answer.parse())
    return (
        answer.status_code,
        answer.headers,
        answer.request_id,
        answer.http_response.content,
        parsed,
    )


async def streamed_raw(client: Client) -> Any:
    create: Any = client.messages.with_streaming_response.create
    async with within(create(**ASKED, stream=True)) as answer:
        return answer.headers, b"".join(await each(answer.iter_bytes()))


async def unknown_fields(client: Client) -> Any:
    return await done(
        client.messages.create(
            **ASKED,
            extra_body={"unknown": {"a": [1, None]}},
            extra_headers={"X-Own": "1", "anthropic-beta": "own"},
            extra_query={"beta": "true", "q": "a b/ü"},
        )
    )


async def unknown_path(client: Client) -> Any:
    return await done(client.get("/v1/organizations/me?q=%2F", cast_to=object))


async def large(client: Client) -> Any:
    hello = [{"role": "user", "content": "word " * 200_000}]
    return await done(client.messages.create(model=MODEL, max_tokens=9, messages=hello))


async def impatient(client: Client) -> Any:
    return await done(
        client.with_options(timeout=IMPATIENT, max_retries=1).messages.create(**ASKED)
    )


def compress(upstream: Upstream) -> None:
    upstream.compresses = True


def only_small(upstream: Upstream) -> None:
    upstream.max_bytes = 100


def only_others(upstream: Upstream) -> None:
    upstream.keys = {"another"}


def held(before: int | None) -> Source:
    return lambda _: Answer("A long answer that goes on and on.", gates=(Gate(before),))


def failing(*steps: Failure) -> Source:
    return [*steps, *[steps[-1]] * 5]


def overloaded(status: int = 529, **fields: Any) -> Failure:
    return Failure(status, **fields)


SCENARIOS: dict[str, Scenario] = {
    "a message": Scenario(create),
    "a message with tools and thinking": Scenario(create_with_tools, lambda: [WHOLE]),
    "a message, compressed": Scenario(create, prepare=compress),
    "a message cut at max_tokens": Scenario(create, lambda: [Answer("Long. " * 2_000)]),
    "a stream of events": Scenario(create_stream, lambda: [WHOLE]),
    "a stream": Scenario(stream, lambda: [WHOLE]),
    "a stream of text": Scenario(text_stream, lambda: ["Ä text — of many words. " * 50]),
    "a stream, compressed": Scenario(stream, lambda: [WHOLE], prepare=compress),
    "a stream that fails": Scenario(
        create_stream, lambda: [Answer("It begins well.", breaks_after=4)], error="APIStatusError"),
    "a stream that is abandoned": Scenario(abandon, lambda: held(4)),
    "beta": Scenario(beta),
    "a stream of beta": Scenario(beta_stream, lambda: [WHOLE]),
    "tools that are run": Scenario(
        run_tools, lambda: [WHOLE, Answer("More.", (ToolUse("look", {"at": "it"}),)), "Done."]),
    "counting": Scenario(count),
    "models": Scenario(models),
    "batches": Scenario(batches, lambda: ["One.", Failure(529)], bypasses=True),
    "a raw response": Scenario(raw),
    "a raw stream": Scenario(streamed_raw, lambda: [WHOLE]),
    "unknown fields": Scenario(unknown_fields, error="BadRequestError"),
    "an unknown path": Scenario(unknown_path, error="NotFoundError"),
    "a large body": Scenario(large),
    "too large a body": Scenario(create, prepare=only_small, error="ContentTooLargeError"),
    "a wrong key": Scenario(create, prepare=only_others, error="AuthenticationError"),
    "a bearer token": Scenario(create, options={"api_key": None, "auth_token": "test"}),
    "no patience": Scenario(impatient, lambda: held(None), error="APITimeoutError"),
    "overloaded, then not": Scenario(
        create, lambda: [overloaded(retry_after=0.5), overloaded(), "At last."]),
    "overloaded": Scenario(create, lambda: failing(overloaded()), error="OverloadedError"),
    "a stream overloaded, then not": Scenario(stream, lambda: [overloaded(), WHOLE]),
    "told not to try again": Scenario(
        create, lambda: failing(overloaded(headers={"x-should-retry": "false"})),
        error="OverloadedError"),
    "told to come back in a long time": Scenario(
        create, lambda: failing(Failure(429, retry_after=4_000)), error="RateLimitError"),
    "told to come back at once": Scenario(
        create, lambda: failing(Failure(429, headers={"retry-after-ms": "12"})),
        error="RateLimitError"),
    **{f"status {status}": Scenario(create, lambda status=status: failing(Failure(status)),
                                    error=kind)
       for status, kind in ((400, "BadRequestError"), (401, "AuthenticationError"),
                            (402, "PaymentRequiredError"), (403, "PermissionDeniedError"),
                            (404, "NotFoundError"), (409, "ConflictError"),
                            (413, "ContentTooLargeError"), (422, "UnprocessableEntityError"),
                            (429, "RateLimitError"), (500, "InternalServerError"),
                            (503, "ServiceUnavailableError"), (504, "GatewayTimeoutError"))},
}  # fmt: skip


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("name", SCENARIOS)
async def test_a_client_sees_the_same_every_way(
    world: World, waits: list[float | None], name: str, is_async: bool
) -> None:
    scenario = SCENARIOS[name]

    async def run(way: Way) -> tuple[Any, Upstream]:
        upstream = begin(world, scenario)
        client = world.anthropic(way, is_async=is_async, **scenario.options)
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
        if not scenario.bypasses:
            check_ledger(world, way, upstream)
