"""Running a scenario one way, and comparing it with another."""

import json
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import anthropic
import openai
import pytest

from tests.contract.both import done
from tests.contract.ledger import Entry, counts_told
from tests.contract.outcomes import Names, Outcome
from tests.contract.ways import Way, World
from tests.upstream.app import Upstream
from tests.upstream.scripts import Source
from tests.upstream.values import Json

_PATIENCE_SECONDS = 5
Client = Any
Act = Callable[[Client], Awaitable[Any]]


@dataclass(frozen=True)
class Scenario:
    """What a client does, and what the upstream does to it.

    `script` makes the steps anew for each run. `error` is what is raised, by the type's name.
    `prepare` sets up the upstream. `adds_usage` says that a tracked client or the gateway asks
    for usage in its place, so that the request's body differs; `bypasses` that the API names an
    address to ask next, which is its own: that request does not go through the gateway.
    """

    act: Act
    script: Callable[[], Source] = lambda: ["It is said."]
    error: str | None = None
    prepare: Callable[[Upstream], None] = lambda upstream: None
    options: dict[str, Any] = field(default_factory=dict[str, Any])
    adds_usage: bool = False
    bypasses: bool = False


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float | None]:
    """What the clients mean to wait before they try again; they do not really wait."""
    told: list[float | None] = []
    for module in (anthropic, openai):
        _record_waits(module, told, monkeypatch)
    return told


def _record_waits(module: Any, told: list[float | None], monkeypatch: pytest.MonkeyPatch) -> None:
    of = module._base_client.BaseClient
    original = of._calculate_retry_timeout

    def calculate(self: Any, remaining: int, options: Any, headers: Any = None) -> float:
        wait = original(self, remaining, options, headers)
        is_told = self._parse_retry_after_header(headers) is not None
        told.append(wait if is_told else None)
        return 0.0

    monkeypatch.setattr(of, "_calculate_retry_timeout", calculate)


async def outcome_of(
    client: Client, act: Act, requests: Callable[[], Iterable[Any]], waits: list[float | None]
) -> Outcome:
    """Let the client act, and say what came of it."""
    waits.clear()
    names = Names()
    result = error = None
    try:
        result = names.value(await act(client))
    except Exception as raised:  # noqa: BLE001 (whatever is raised is the outcome)
        error = names.error(raised)
    finally:
        await done(client.close())
    return Outcome(result, error, [names.request(each) for each in requests()], list(waits))


def begin(world: World, scenario: Scenario) -> Upstream:
    """An upstream that is as new, for one run."""
    world.upstream = Upstream()
    world.upstream.script(scenario.script())
    scenario.prepare(world.upstream)
    return world.upstream


def without_asking(outcome: Outcome, scenario: Scenario) -> Outcome:
    """The outcome as if nobody had asked for usage in the client's place."""
    if not scenario.adds_usage:
        return outcome
    requests: list[Any] = []
    for line, headers, body in outcome.requests:
        kept = [[name, value] for name, value in headers if name != "content-length"]
        asked: Json = json.loads(body)
        options: Json = asked.pop("stream_options", None) or {}
        options.pop("include_usage", None)
        requests.append((line, kept, asked | ({"stream_options": options} if options else {})))
    return Outcome(outcome.result, outcome.error, requests, outcome.waits)


def check_ledger(world: World, way: Way, upstream: Upstream) -> None:
    """Each message that was answered is in the ledger once, with what was told of it."""
    world.flush()
    for received in upstream.requests:
        if received.message_id is None:
            continue
        if way == "direct":
            assert world.ledger.entries(received.message_id) == []
            continue
        entries = recorded(world, received.message_id)
        assert len(entries) == 1, (received.path, received.message_id, entries)
        if received.is_whole:
            assert (entries[0].counts, entries[0].is_final) == (counts_told(received), True)
        else:
            assert not entries[0].is_final


def recorded(world: World, message_id: str) -> list[Entry]:
    """The ledger's entries of a message, once it has any. A client that leaves early does not wait
    until it was noticed."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while True:
        world.flush()
        entries = world.ledger.entries(message_id)
        if entries or time.monotonic() > until:
            return entries
        time.sleep(0.01)
