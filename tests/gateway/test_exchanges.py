"""Steps around a call, and the life of an answer."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.gateway.serving import config_of
from tests.upstream.broken_answers import message, response
from tests.upstream.misbehaving import Hold, Misbehaving, Send
from token_tracking.recording import Recorder
from token_tracking.sources.replies import Call
from token_tracking.store import TokenStore
from token_tracking.usage import Usage, UsageEvent
from token_tracking_server.gateway.app import create_gateway
from token_tracking_server.gateway.exchanges import Answer, Ask
from token_tracking_server.gateway.exchanges import Send as SendOn
from token_tracking_server.gateway.services import Services
from token_tracking_server.gateway.serving import welcome
from token_tracking_server.settings import Settings

_WHOLE = response(200, json.dumps(message("msg_01exchange")).encode())


@pytest.fixture
async def services(any_misbehaving: Misbehaving, tmp_path: Path) -> AsyncIterator[Services]:
    """A gateway's, without a server before it."""
    settings = Settings(database=str(tmp_path / "ledger.db"))
    async with create_gateway(config_of(any_misbehaving.base_url), settings).running() as services:
        yield services


def _ask(services: Services) -> Ask:
    return Ask(
        upstream=services.upstreams.named("anthropic"),
        form="anthropic",
        method="POST",
        path="/v1/messages",
        headers=[(b"content-type", b"application/json")],
        body=b'{"model":"claude-opus-4-8"}',
        model="claude-opus-4-8",
        call=Call(started_at=1_800_000_000_000, source="gateway"),
    )


class _Noting:
    """A step that says when it comes to be."""

    def __init__(self, name: str, said: list[str]) -> None:
        self._name, self._said = name, said

    async def around(self, ask: Ask, send: SendOn) -> Answer:
        async def end(answer: Answer) -> None:
            self._said.append(f"end of {self._name}, {len(answer.replies)} told")

        self._said.append(f"{self._name} of {ask.model}")
        answer = await send(replace(ask, model=f"{ask.model}+"))
        answer.at_end(end)
        return answer


async def test_the_first_step_is_the_outermost_and_hears_of_the_end_last(
    any_misbehaving: Misbehaving, services: Services
) -> None:
    any_misbehaving.script([Send(_WHOLE)])
    said: list[str] = []
    services.exchanges.use([_Noting("first", said), _Noting("second", said)])
    async with await services.exchanges.send(replace(_ask(services), model="m")) as answer:
        await answer.read()
        assert answer.is_complete
    await answer.aclose()
    assert said == [
        "first of m",
        "second of m+",
        "end of second, 1 told",
        "end of first, 1 told",
    ]


async def test_an_answer_that_is_closed_early_disconnects_the_upstream(
    any_misbehaving: Misbehaving, services: Services
) -> None:
    hold = Hold()
    any_misbehaving.script([Send(_WHOLE[:-10]), hold])
    answer = await services.exchanges.send(_ask(services))
    await answer.aclose()
    left = await asyncio.to_thread(hold.left.wait, 5)
    hold.close()
    assert left
    assert not answer.is_complete


async def test_an_answer_of_a_steps_own_needs_no_upstream(
    any_misbehaving: Misbehaving, services: Services
) -> None:
    class Refusing:
        async def around(self, ask: Ask, send: SendOn) -> Answer:
            async def chunks() -> AsyncIterator[bytes]:
                yield b"no"

            return Answer(418, [], chunks())

    any_misbehaving.script([Send(_WHOLE)])
    services.exchanges.use([Refusing()])
    async with await services.exchanges.send(_ask(services)) as answer:
        assert (answer.status, await answer.read()) == (418, b"no")
    assert any_misbehaving.requests == []


async def test_a_servers_lifespan_opens_and_closes_it(tmp_path: Path) -> None:
    settings = Settings(database=str(tmp_path / "ledger.db"))
    gateway = create_gateway(config_of("http://127.0.0.1:9"), settings)
    assert await _lived(gateway) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


async def test_a_server_is_told_what_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "gateway.db").write_bytes(b"no database" * 1000)
    settings = Settings(database=str(tmp_path / "ledger.db"))
    gateway = create_gateway(config_of("http://127.0.0.1:9"), settings)
    assert await _lived(gateway) == ["lifespan.startup.failed"]


async def _lived(gateway: Any) -> list[str]:
    sent: list[str] = []

    async def receive() -> dict[str, str]:
        return {"type": "lifespan.shutdown" if sent else "lifespan.startup"}

    async def send(message: dict[str, str]) -> None:
        sent.append(message["type"])

    await gateway({"type": "lifespan"}, receive, send)
    return sent


@pytest.mark.parametrize(
    ("host", "address"),
    [("127.0.0.1", "http://127.0.0.1:8080"), ("::1", "http://[::1]:8080"),
     ("0.0.0.0", "http://127.0.0.1:8080"), ("localhost", "http://localhost:8080")],
)  # fmt: skip
def test_the_welcome_says_how_to_reach_it(host: str, address: str) -> None:
    said = welcome(config_of("http://127.0.0.1:9", host=host), 8080)
    assert f"export ANTHROPIC_BASE_URL={address}\n" in said
    assert said.endswith(f"export OPENAI_BASE_URL={address}/v1")


async def test_a_gateway_takes_in_what_one_that_was_killed_had_recorded(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.db"
    with Recorder.open(ledger, drain=False) as killed:
        killed.record(UsageEvent(key="msg_01killed", usage=Usage(), timestamp=1, source="gateway"))
    settings = Settings(database=str(ledger))
    async with (
        create_gateway(config_of("http://127.0.0.1:9"), settings).running(),
        TokenStore.opened(ledger) as store,
        asyncio.timeout(20),
    ):
        while await store.get_message("msg_01killed") is None:
            await asyncio.sleep(0.01)
