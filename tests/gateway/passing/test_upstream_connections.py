"""Connections to upstreams are kept, and never taken again once they are of no use."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.gateway.outcomes import ask, outcome_of
from tests.gateway.raw import post, request
from tests.gateway.serving import Served, config_of
from tests.upstream.broken_answers import response
from tests.upstream.misbehaving import Close, Hold, Misbehaving, Send, misbehaves
from token_tracking.sources.replies import Call
from token_tracking_server.gateway.app import create_gateway
from token_tracking_server.gateway.exchanges import Ask
from token_tracking_server.gateway.services import Services
from token_tracking_server.gateway.serving import loop_factory
from token_tracking_server.settings import Settings

_OK = Send(response(200, b"{}"))
_OTHERS = response(200, b'{"of": "nobody"}')


@pytest.fixture
def upstream() -> Iterator[Misbehaving]:
    """An upstream with no connections but the test's."""
    with misbehaves() as upstream:
        yield upstream


@pytest.fixture
def hold() -> Iterator[Hold]:
    """A pause of the upstream."""
    with closing(Hold()) as hold:
        yield hold


def _run(upstream: Misbehaving, folder: Path, act: Callable[[Services], Awaitable[None]]) -> None:
    """On the loop that users have: loops differ in what they know of a connection's end."""

    async def run() -> None:
        settings = Settings(database=str(folder / "ledger.db"))
        async with create_gateway(config_of(upstream.base_url), settings).running() as services:
            await act(services)

    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(run())


async def _answered(services: Services) -> bytes:
    asked = Ask(
        upstream=services.upstreams.named("anthropic"),
        form="anthropic",
        method="POST",
        path="/v1/messages",
        headers=[(b"content-length", b"2")],
        body=b"{}",
        call=Call(started_at=1_800_000_000_000, source="gateway"),
    )
    async with await services.exchanges.send(asked) as answer:
        return await answer.read()


def test_a_connection_that_the_upstream_has_closed_is_not_taken_again(
    upstream: Misbehaving, hold: Hold, tmp_path: Path
) -> None:
    upstream.script([_OK, hold, Close()], [_OK])

    async def act(services: Services) -> None:
        assert await _answered(services) == b"{}"
        hold.open()
        # The loop stands still: the connection's end waits to be read.
        assert upstream.has_ended_all()
        assert await _answered(services) == b"{}"

    _run(upstream, tmp_path, act)
    assert len(upstream.requests) == 2


@pytest.mark.parametrize("size", [20, len(_OTHERS)], ids=["a part", "all of it"])
def test_a_connection_on_which_a_response_came_unasked_is_not_taken_again(
    upstream: Misbehaving, hold: Hold, tmp_path: Path, size: int
) -> None:
    """It would be read as the answer to the next request."""
    after = Hold()
    upstream.script([_OK, hold, Send(_OTHERS[:size]), after], [_OK])

    async def act(services: Services) -> None:
        assert await _answered(services) == b"{}"
        hold.open()
        assert await asyncio.to_thread(after.reached.wait, 5)
        # What came is read by now: the loop has gone round since.
        await asyncio.sleep(0)
        assert await _answered(services) == b"{}"

    with closing(after):
        _run(upstream, tmp_path, act)
    assert len(upstream.requests) == 2


def test_a_connection_that_is_of_use_is_taken_again(upstream: Misbehaving, tmp_path: Path) -> None:
    upstream.script([_OK])

    async def act(services: Services) -> None:
        for _ in range(3):
            assert await _answered(services) == b"{}"

    _run(upstream, tmp_path, act)
    assert (len(upstream.requests), upstream.connections) == (3, 1)


@pytest.mark.parametrize("method", [b"GET", b"PUT", b"DELETE"])
def test_a_request_whose_connection_breaks_is_not_sent_again_behind_the_callers_back(
    any_misbehaving: Misbehaving, before_misbehaving: Served, method: bytes
) -> None:
    any_misbehaving.script([_OK], [Close()], [_OK])
    assert ask(before_misbehaving.port, post("/v1/messages", b"{}")).status == 200
    assert outcome_of(ask(before_misbehaving.port, request(method, b"/v1/files/file_1"))) is None
    assert len(any_misbehaving.requests) == 2
