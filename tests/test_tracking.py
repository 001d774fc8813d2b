"""`track`: a client's usage in the ledger, also where the ledger cannot be written at first."""

import re
from pathlib import Path
from typing import Any

import httpx2
import pytest
from anthropic import Anthropic
from openai import OpenAI

from tests.upstream.app import Upstream
from tests.upstream.serve import upstream
from token_tracking import Recorder, TokenStore, track
from token_tracking.recording import default_recorder, drain_spool

__all__ = ["upstream"]

ASKED: dict[str, Any] = {
    "model": "claude-opus-4-8",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "What is a token?"}],
}


async def test_a_tracked_client_is_the_same_and_its_messages_are_in_the_ledger(
    upstream: Upstream, tmp_path: Path
) -> None:
    client: Any = Anthropic(api_key="test", base_url=upstream.base_url)
    with client, Recorder.open(tmp_path / "ledger.db") as recorder:
        assert track(client, recorder=recorder, session_id="s1", project="essays") is client
        message = client.messages.create(**ASKED)
        assert recorder.flush()
    async with TokenStore.opened(tmp_path / "ledger.db") as store:
        row = await store.get_message(message.id)
        assert row is not None
        assert row.usage.output_tokens == message.usage.output_tokens
        assert row.cost_usd is not None


async def test_a_response_that_was_polled_for_is_once_in_the_ledger_with_its_counts(
    tmp_path: Path,
) -> None:
    usage = {"input_tokens": 1000, "output_tokens": 500, "total_tokens": 1500}
    begun: dict[str, Any] = {"id": "resp_1", "object": "response", "model": "gpt-5", "output": []}
    answers: list[dict[str, Any]] = [
        begun | {"status": "queued", "usage": None},
        begun | {"status": "completed", "usage": usage},
        begun | {"status": "completed", "usage": usage},
    ]
    transport = httpx2.MockTransport(lambda request: httpx2.Response(200, json=answers.pop(0)))
    client: Any = OpenAI(api_key="none", http_client=httpx2.Client(transport=transport))
    with client, Recorder.open(tmp_path / "ledger.db") as recorder:
        track(client, recorder=recorder, user="ada")
        client.responses.create(model="gpt-5", input="Hi.", background=True)
        client.responses.retrieve("resp_1")
        client.responses.retrieve("resp_1")
        assert recorder.flush()
    async with TokenStore.opened(tmp_path / "ledger.db") as store:
        row = await store.get_message("resp_1")
        assert row is not None
        assert row.usage.input_tokens + row.usage.output_tokens == 1500
        assert "unknown" not in (row.metadata or "")


def test_a_gateway_elsewhere_is_named(tmp_path: Path) -> None:
    requests: list[httpx2.Request] = []

    def answering(request: httpx2.Request) -> httpx2.Response:
        requests.append(request)
        return httpx2.Response(500)

    http = httpx2.Client(transport=httpx2.MockTransport(answering))
    client: Any = OpenAI(
        api_key="none", base_url="https://gateway.example/v1", http_client=http, max_retries=0
    )
    with client, Recorder.open(tmp_path / "ledger.db") as recorder:
        track(client, recorder=recorder, user="ada", gateway=True)
        with pytest.raises(Exception, match="500"):
            client.responses.create(model="gpt-5", input="Hi.")
    assert requests[0].headers["x-token-tracking-user"] == "ada"


async def test_what_a_ledger_does_not_take_waits_on_disk_and_fails_no_call(
    upstream: Upstream, tmp_path: Path
) -> None:
    ledger = tmp_path / "ledger.db"
    ledger.write_bytes(b"this is no database" * 100)
    client: Any = Anthropic(api_key="test", base_url=upstream.base_url)
    recorder = Recorder.open(ledger)
    with client:
        message = track(client, recorder=recorder).messages.create(**ASKED)
    assert not recorder.close(timeout=1)
    assert recorder.stats.waiting == 1
    ledger.unlink()
    async with TokenStore.opened(ledger) as store:
        assert (await drain_spool(store)).events == 1
        assert await store.get_message(message.id) is not None


async def test_the_examples_of_the_documentation_run(
    upstream: Upstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", upstream.base_url)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "none")
    monkeypatch.setenv("TOKEN_TRACKING_DB", str(tmp_path / "ledger.db"))
    monkeypatch.setattr("token_tracking.recording.default._opened", [])
    monkeypatch.chdir(tmp_path)
    text = (Path(__file__).parents[1] / "docs" / "sdk.md").read_text("utf-8")
    reader: dict[str, Any] = {}
    for example in re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        exec(example, reader)
    assert default_recorder().close()
    async with TokenStore.opened() as store:
        row = await store.get_message(reader["message"].id)
        assert row is not None
        assert row.session_id == "essay-8"
    reader["client"].close()
