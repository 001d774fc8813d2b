"""An upstream that misbehaves: what clients would see without us, they see with us."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.contract import test_anthropic as of_anthropic
from tests.contract import test_openai as of_openai
from tests.contract.ledger import anthropic_counts, openai_counts
from tests.contract.outcomes import Outcome
from tests.contract.running import Act, outcome_of, recorded
from tests.contract.ways import Way, World, ways
from tests.upstream.answers import new_id
from tests.upstream.broken_answers import (
    chunks,
    completion,
    events,
    message,
    streams,
    whole_bodies,
)
from tests.upstream.misbehaving import Behaviour

BODIES = list(whole_bodies({}))
STREAMS = list(streams([b""] * 8))

WHOLE_BODIES = {
    "a body longer than said",
    "a body without a length",
    "a chunked body cut short",
    "informed first (103)",
    "told to continue first (100)",
    "headers repeated, in odd case",
    "a folded header",
    "bytes one by one",
}
"""Those of which all could be read, so that the ledger has all."""

WHOLE_STREAMS = {
    "without a last chunk",
    "whole, in one piece",
    "whole, byte by byte",
    "a thousand pings",
    "whole, as gzip",
}
BEGUN_STREAMS = {
    "closed between events",
    "closed within an event",
    "closed within a chunk",
    "reset between events",
    "ended in order, but early",
    "ended in order within an event",
    "garbage between events",
    "garbage between chunks",
    "gzip cut short",
}
"""Those of which some is known: that there was a message, and in Anthropic's form its input."""

ONE_EVENT_SHORT = "shorter than said"
"""Anthropic's usage was told before the last event; OpenAI's is in it."""


async def compare(
    world: World,
    waits: list[float | None],
    client_of: Any,
    act: Act,
    make: Callable[[str], Behaviour],
    prefix: str,
    *,
    is_async: bool = True,
) -> list[tuple[Way, str]]:
    """Every way gives what the direct one gives. Returns the ids that the ways were answered."""
    answered: list[tuple[Way, str]] = []
    outcomes: dict[Way, Outcome] = {}
    for way in ("direct", *ways(is_async=is_async)):
        name = new_id(prefix)
        world.misbehaving.script(make(name))
        client = client_of(way, is_async=is_async, broken=True, max_retries=1)
        requests = world.misbehaving.requests
        outcomes[way] = await outcome_of(client, act, lambda kept=requests: kept, waits)
        assert outcomes[way] == outcomes["direct"], way
        answered.append((way, name))
    return answered[1:]


def check(world: World, name: str, counts: tuple[int, ...] | None, *, is_final: bool) -> None:
    entries = recorded(world, name) if counts is not None else _entries(world, name)
    # Two attempts that were answered are one message of Anthropic's, whose ids are global.
    assert len(entries) <= (1 if name.startswith("msg_") else 2)
    found = {(entry.counts, entry.is_final) for entry in entries}
    assert found == (set() if counts is None else {(counts, is_final)})


def _entries(world: World, name: str) -> Any:
    world.flush()
    return world.ledger.entries(name)


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("name", BODIES)
async def test_a_broken_message_is_the_same_every_way(
    world: World, waits: list[float | None], name: str, is_async: bool
) -> None:
    ids = await compare(
        world,
        waits,
        world.anthropic,
        of_anthropic.create,
        lambda id_: whole_bodies(message(id_))[name],
        "msg",
        is_async=is_async,
    )
    counts = anthropic_counts(message()["usage"]) if name in WHOLE_BODIES else None
    for _, id_ in ids:
        check(world, id_, counts, is_final=True)


@pytest.mark.parametrize("name", BODIES)
async def test_a_broken_completion_is_the_same_every_way(
    world: World, waits: list[float | None], name: str
) -> None:
    ids = await compare(
        world,
        waits,
        world.openai,
        of_openai.create,
        lambda id_: whole_bodies(completion(id_))[name],
        "chatcmpl",
    )
    counts = openai_counts(completion()["usage"]) if name in WHOLE_BODIES else None
    for _, id_ in ids:
        check(world, id_, counts, is_final=True)


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("name", STREAMS)
async def test_a_broken_stream_of_a_message_is_the_same_every_way(
    world: World, waits: list[float | None], name: str, is_async: bool
) -> None:
    ids = await compare(
        world,
        waits,
        world.anthropic,
        of_anthropic.create_stream,
        lambda id_: streams(events(id_))[name],
        "msg",
        is_async=is_async,
    )
    counts, is_final = None, name in WHOLE_STREAMS or name == ONE_EVENT_SHORT
    if is_final:
        counts = anthropic_counts(message()["usage"])
    elif name in BEGUN_STREAMS:
        counts = anthropic_counts(message()["usage"] | {"output_tokens": 1})
    for _, id_ in ids:
        check(world, id_, counts, is_final=is_final)


@pytest.mark.parametrize("name", STREAMS)
async def test_a_broken_stream_of_a_completion_is_the_same_every_way(
    world: World, waits: list[float | None], name: str
) -> None:
    ids = await compare(
        world,
        waits,
        world.openai,
        of_openai.create_stream_with_usage,
        lambda id_: streams(chunks(id_))[name],
        "chatcmpl",
    )
    counts = None
    if name in WHOLE_STREAMS:
        counts = openai_counts(completion()["usage"])
    elif name in BEGUN_STREAMS or name == ONE_EVENT_SHORT:
        counts = (0, 0, 0, 0, 0)
    for _, id_ in ids:
        check(world, id_, counts, is_final=name in WHOLE_STREAMS)
