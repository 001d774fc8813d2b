"""The load of benchmarks/gateway.py: what its provider answers, and what its client counts."""

from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

import pytest
from anthropic import Anthropic
from openai import OpenAI

from benchmarks.gateway import page, run
from benchmarks.gateway_load.caller import BadAnswerError, Connection, Target, throughput
from benchmarks.gateway_load.provider import DELTAS
from benchmarks.gateway_load.servers import Served, provider


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """A provider of the module's own."""
    with provider() as served:
        yield served


@pytest.mark.parametrize("form", ["openai", "anthropic"])
async def test_every_answer_that_came_whole_is_counted(served: Served, form: str) -> None:
    target = served.target(form)
    assert await throughput(target, in_flight=4, seconds=0.05) > 0
    assert target.answered >= 4


async def test_a_stream_has_its_first_byte_before_its_end(served: Served) -> None:
    target = served.target("openai")
    connection = await Connection.open(target)
    first, end = await connection.ask(target.request(is_stream=True))
    connection.close()
    assert 0 < first < end


async def test_an_answer_that_is_no_200_is_an_error() -> None:
    with provider() as served:
        target = served.target("openai")
        target.path = "/nothing\r\nContent-Length: x"
        connection = await Connection.open(target)
        with pytest.raises(BadAnswerError):
            await connection.ask(target.request())
        connection.close()
    assert target.answered == 0


def test_the_provider_speaks_both_forms_as_their_packages_read_them(served: Served) -> None:
    address = f"http://127.0.0.1:{served.port}"
    with OpenAI(api_key="k", base_url=f"{address}/v1") as gpt:
        asked = gpt.chat.completions.create(
            model="gpt-5", messages=[{"role": "user", "content": "x"}], stream=True
        )
        chunks = list(asked)
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 120
    with (
        Anthropic(api_key="k", base_url=address) as claude,
        claude.messages.stream(
            model="claude-opus-4-8", max_tokens=9, messages=[{"role": "user", "content": "x"}]
        ) as stream,
    ):
        assert len(list(stream.text_stream)) == DELTAS
        assert stream.get_final_message().usage.output_tokens == 120


@pytest.mark.slow
def test_our_gateway_is_measured_and_records_what_it_was_sent(tmp_path: Path) -> None:
    options = Namespace(no_peers=True, form="openai", seconds=0.1, requests=20, cache=tmp_path)
    found = run(options, tmp_path)
    assert found["messages_sent"] == found["messages_recorded"] > 100
    assert {"rps_ratio", "added_ms_p50", "added_ms_p99", "first_byte_ms_p50"} <= found.keys()
    assert "Messages sent" in page(found)


def test_a_target_names_its_form_by_its_path() -> None:
    claude = Target("x", "127.0.0.1", 1, "/v1/messages", "k").request()
    assert b'"max_tokens"' in claude
    assert b'"max_tokens"' not in Target("x", "127.0.0.1", 1, "/v1/chat/completions", "k").request()
